//go:build race

package examples_test

// raceEnabled says that the race detector makes compiling large programs too slow
// to be worth it.
const raceEnabled = true
