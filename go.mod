module github.com/wasmagent/wasmagent

go 1.26.0

require (
	// trust: the signatures of modules.
	aead.dev/minisign v0.3.0
	// strict, for config.toml and users.toml; cmd/wasmagent and access name keys with it; the example check_baseline reads a TOML file in its zip.
	github.com/BurntSushi/toml v1.6.0
	// policy matches grants with it; zipmod finds scripts by pattern.
	github.com/bmatcuk/doublestar/v4 v4.10.4
	// cmd/wasmagent/internal/watch hears from the system that files change.
	github.com/fsnotify/fsnotify v1.10.1
	// tests of zipmod and facts validate documents against the published schemas.
	github.com/google/jsonschema-go v0.4.3
	// cmd/wasmagent installs itself as a service with it.
	github.com/kardianos/service v1.3.0
	// listen/rest compresses answers with it (gzhttp).
	github.com/klauspost/compress v1.20.3
	// providers confines the processes of native scripts to files with it, on Linux.
	github.com/landlock-lsm/go-landlock v0.11.0
	// cmd/wasmagent/internal/fetch: digests and manifests of modules in OCI registries.
	github.com/opencontainers/go-digest v1.0.0
	github.com/opencontainers/image-spec v1.1.1
	// metrics: the agent's figures, for Prometheus.
	github.com/prometheus/client_golang v1.25.0
	github.com/prometheus/client_model v0.6.3
	// listen/prometheus and tests of metrics write them as text (expfmt).
	github.com/prometheus/common v0.72.0
	// schedule reads cron expressions with it.
	github.com/robfig/cron/v3 v3.0.1
	// cmd/wasmagent locks the installed modules (lockedfile); its tests are scripts (testscript).
	github.com/rogpeppe/go-internal v1.16.0
	// facts reads most figures of the machine through it.
	github.com/shirou/gopsutil/v4 v4.26.10
	// cmd/wasmagent: commands, flags, shell completion.
	github.com/spf13/cobra v1.10.2
	// runtime: the WebAssembly engine.
	github.com/tetratelabs/wazero v1.12.0
	// metrics/otlp pushes metrics with them; its tests decode what it pushes (proto/otlp).
	go.opentelemetry.io/contrib/bridges/prometheus v0.72.0
	go.opentelemetry.io/otel v1.47.0
	go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp v1.47.0
	go.opentelemetry.io/otel/sdk v1.47.0
	go.opentelemetry.io/otel/sdk/metric v1.47.0
	go.opentelemetry.io/proto/otlp v1.11.1
	// access hashes passwords with it (argon2).
	golang.org/x/crypto v0.58.0
	// metrics/otlp checks headers (httpguts); tests of runtime/internal/dial have a name server of their own (dnsmessage).
	golang.org/x/net v0.62.0
	// providers compiles the programs of a module in parallel (errgroup); access verifies a password once for many requests (singleflight).
	golang.org/x/sync v0.24.0
	// facts, providers, runtime, builtin, cmd/wasmagent: system calls that the standard library lacks, on Windows above all.
	golang.org/x/sys v0.49.0
	// cmd/wasmagent shows progress only on a terminal.
	golang.org/x/term v0.47.0
	// tests of metrics/otlp decode what is pushed.
	google.golang.org/protobuf v1.36.12
	// cmd/wasmagent/internal/fetch speaks to OCI registries with it.
	oras.land/oras-go/v2 v2.6.4
)

require github.com/getkin/kin-openapi v0.152.0

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cenkalti/backoff/v5 v5.0.3 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/ebitengine/purego v0.11.2 // indirect
	github.com/go-logr/logr v1.4.4 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/go-ole/go-ole v1.2.6 // indirect
	github.com/go-openapi/jsonpointer v1.0.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/grpc-ecosystem/grpc-gateway/v2 v2.31.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/lufia/plan9stats v0.0.0-20211012122336-39d0f177ccd0 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/oasdiff/yaml v0.1.1 // indirect
	github.com/oasdiff/yaml3 v0.0.14 // indirect
	github.com/power-devops/perfstat v0.0.0-20260805114148-88456608a4f6 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	github.com/tklauser/go-sysconf v0.4.0 // indirect
	github.com/tklauser/numcpus v0.12.0 // indirect
	github.com/yusufpapurcu/wmi v1.2.4 // indirect
	go.opentelemetry.io/auto/sdk v1.2.1 // indirect
	go.opentelemetry.io/otel/log v1.47.0 // indirect
	go.opentelemetry.io/otel/metric v1.47.0 // indirect
	go.opentelemetry.io/otel/trace v1.47.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
	google.golang.org/genproto/googleapis/api v0.0.0-20260928230214-8a89bd6388cc // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260928230214-8a89bd6388cc // indirect
	google.golang.org/grpc v1.84.0 // indirect
	kernel.org/pub/linux/libs/security/libcap/psx v1.2.77 // indirect
)
