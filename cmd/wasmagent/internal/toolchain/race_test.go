//go:build race

package toolchain_test

// raceEnabled is whether the race detector is on, under which large guests take
// many times as long to compile.
const raceEnabled = true
