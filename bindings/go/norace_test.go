//go:build !race

package kstone

const raceDetector = false
