//go:build race

package kstone

// raceDetector says that the race detector is on, under which everything takes some ten times as long.
const raceDetector = true
