// Package builtin holds the modules that are compiled into the agent:
// CheckSystem, which checks the machine itself, and CheckHelpers, whose
// commands run other commands.
//
// A module is a name, a description and a set of commands; each command is a
// check.Runner. All of them read their arguments the same way, as key=value or
// as --key value, all of them answer --help, and docs/builtin.md shows the same
// text for each. Thresholds are ranges of the Monitoring Plugins
// (https://www.monitoring-plugins.org/doc/guidelines.html#THRESHOLDFORMAT).
//
// A command that is asked for something it does not understand returns an
// error that names every mistake at once; it never guesses. Values are in base
// units: bytes, seconds, percent.
//
// What a caller controls is bounded: how many commands a request starts, how
// many counters are sampled and how much is kept of each. How deep commands
// nest is for the dispatcher to bound.
//
// Everything is safe for concurrent use. One goroutine exists, and only while
// counters are sampled; Close ends it.
package builtin
