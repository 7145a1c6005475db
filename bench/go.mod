// This is a module of its own, so that what the agent is compared with does not reach
// those who build the agent.
module github.com/wasmagent/wasmagent/bench

go 1.26.0

replace github.com/wasmagent/wasmagent => ../

require (
	// It is compared with this by itself.
	github.com/tetratelabs/wazero v1.12.0
	// What is measured is that of this directory.
	github.com/wasmagent/wasmagent v0.0.0-00010101000000-000000000000
	// It weighs some workers at a time.
	golang.org/x/sync v0.24.0
	// It adopts the processes that a server leaves behind, and gives workers their processors.
	golang.org/x/sys v0.49.0
)

require (
	github.com/bmatcuk/doublestar/v4 v4.10.4 // indirect
	github.com/landlock-lsm/go-landlock v0.11.0 // indirect
	kernel.org/pub/linux/libs/security/libcap/psx v1.2.77 // indirect
)
