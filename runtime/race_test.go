//go:build race

package runtime_test

// raceEnabled says that the race detector makes compiling large guests too slow
// to be worth it.
const raceEnabled = true
