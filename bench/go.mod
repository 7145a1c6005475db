// This is a module of its own, so that what the agent is compared with does not reach
// those who build the agent.
module github.com/wasmagent/wasmagent/bench

go 1.26.0

replace github.com/wasmagent/wasmagent => ../

require (
	// What is measured is that of this directory.
	github.com/wasmagent/wasmagent v0.0.0-00010101000000-000000000000
	// It adopts the processes that a server leaves behind.
	golang.org/x/sys v0.49.0
)
