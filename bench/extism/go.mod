// This is a module of its own, so that Extism has the wazero that it asks for.
module github.com/wasmagent/wasmagent/bench/extism

go 1.26.0

replace (
	// What the agent asks for counts here too, but for this line.
	github.com/tetratelabs/wazero => github.com/tetratelabs/wazero v1.9.0
	github.com/wasmagent/wasmagent => ../../
	github.com/wasmagent/wasmagent/bench => ../
)

require (
	// The agent is compared with it.
	github.com/extism/go-sdk v1.7.1
	// It is configured with it.
	github.com/tetratelabs/wazero v1.12.0
	// It is told what to run by it.
	github.com/wasmagent/wasmagent/bench v0.0.0-00010101000000-000000000000
)

require (
	github.com/dylibso/observe-sdk/go v0.0.0-20240819160327-2d926c5d788a // indirect
	github.com/gobwas/glob v0.2.3 // indirect
	github.com/ianlancetaylor/demangle v0.0.0-20240805132620-81f5be970eca // indirect
	github.com/tetratelabs/wabin v0.0.0-20230304001439-f6f874872834 // indirect
	go.opentelemetry.io/proto/otlp v1.11.1 // indirect
	golang.org/x/sys v0.49.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
