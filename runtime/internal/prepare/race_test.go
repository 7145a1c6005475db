//go:build race

package prepare_test

const raceEnabled = true
