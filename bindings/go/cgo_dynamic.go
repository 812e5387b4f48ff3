//go:build cgo && kstone_dynamic

package kstone

// #cgo LDFLAGS: -L${SRCDIR}/../../build/lib -lkstone
import "C"
