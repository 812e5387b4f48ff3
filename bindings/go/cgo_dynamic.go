//go:build kstone_dynamic

package kstone

// #cgo CFLAGS: -I${SRCDIR}/../../include
// #cgo LDFLAGS: -L${SRCDIR}/../../build/lib -lkstone
import "C"
