//go:build kstone_dynamic

package kstone

// #cgo CFLAGS: -I${SRCDIR}/../../include
// #cgo LDFLAGS: -L${SRCDIR}/../../target/release -lkstone
import "C"
