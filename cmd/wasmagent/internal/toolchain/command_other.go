//go:build !unix

package toolchain

import "os/exec"

// A compiler that is cancelled is killed.

func endTogether(*exec.Cmd) {}

func killRest(*exec.Cmd) {}
