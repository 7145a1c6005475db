//go:build race

package main

// raceEnabled is whether the race detector is on, under which large guests take
// many times as long to compile.
const raceEnabled = true
