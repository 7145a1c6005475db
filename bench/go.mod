// This is a module of its own, so that what the agent is compared with does not reach
// those who build the agent.
module github.com/wasmagent/wasmagent/bench

go 1.26.0

replace github.com/wasmagent/wasmagent => ../

require (
	// It is compared with these two.
	github.com/extism/go-sdk v1.7.1
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
	github.com/dylibso/observe-sdk/go v0.0.0-20240819160327-2d926c5d788a // indirect
	github.com/gobwas/glob v0.2.3 // indirect
	github.com/ianlancetaylor/demangle v0.0.0-20240805132620-81f5be970eca // indirect
	github.com/landlock-lsm/go-landlock v0.11.0 // indirect
	github.com/tetratelabs/wabin v0.0.0-20230304001439-f6f874872834 // indirect
	go.opentelemetry.io/proto/otlp v1.11.1 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
	kernel.org/pub/linux/libs/security/libcap/psx v1.2.77 // indirect
)
