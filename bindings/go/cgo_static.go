//go:build cgo && !kstone_dynamic

package kstone

// The search path is that of a checkout; CGO_CFLAGS and CGO_LDFLAGS come before it, the system's directories after it.
// The libraries are those that cmake/kstone-native-libs.cmake records.

// #cgo LDFLAGS: -L${SRCDIR}/../../build/lib -l:libkstone.a -lgcc_eh -lutil -lrt -lpthread -lm -ldl -lc
import "C"
