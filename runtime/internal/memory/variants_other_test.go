//go:build !linux

package memory_test

// systemVariants are none.
var systemVariants []variant
