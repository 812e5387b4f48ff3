//go:build !cgo

package kstone

// kstone is a binding of a C library. Without cgo this is all there is of the package, and the compiler says so.
var _ = kstone_needs_cgo_so_build_with_CGO_ENABLED_1_and_a_C_compiler
