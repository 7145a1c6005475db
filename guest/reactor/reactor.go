// Package reactor makes a Go program a check that the agent initialises once: each
// run begins in a private copy of what the program was after its initialisation,
// with main. Package guest imports it; a program that does not use guest imports it
// for its effect:
//
//	import _ "github.com/wasmagent/wasmagent/guest/reactor"
//
// The program has to be linked as a WASI reactor, which "wasmagent pack" does:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared
//
// It does not notice: os.Args are the arguments of the run, os.Exit and the end of
// main end it, and no run sees what another one has left in a variable. But what is
// computed before main, by the initialisation of variables and by init functions, is
// computed once and not for every run. If it needs what differs from run to run (a
// file, the time of day), the agent notices and initialises the program for each run
// anew, which takes longer (docs/abi.md).
//
// Linked as a command or for another system, the program is what it would be without
// this package.
package reactor
