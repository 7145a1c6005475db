package zipmod_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/zipmod"
)

// program is so many bytes that compress about as well as a WebAssembly program.
func program(size int) string {
	random := rand.New(rand.NewPCG(1, 2))
	body := make([]byte, size)
	for i := range body {
		body[i] = byte(random.ExpFloat64() * 4)
	}
	return string(body)
}

func BenchmarkRead(b *testing.B) {
	for _, module := range []struct {
		name string
		data []byte
	}{
		{"small", nsclient(b)},
		{"5MB", build(b, manifest(`{"name": "x", "scripts": ["*.wasm"]}`), item{name: "check.wasm", body: program(5_000_000)})},
	} {
		b.Run(module.name, func(b *testing.B) {
			b.SetBytes(int64(len(module.data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := zipmod.Read("x", module.data, zipmod.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPack(b *testing.B) {
	const size = 5 * policy.Bytes(1e6)
	dir := directoryOf(b, map[string]string{"module.json": minimal.body, "check.wasm": program(int(size))})
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := zipmod.Pack(dir, zipmod.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMatches compares a long name with the costliest patterns that one
// subscription can have.
func BenchmarkMatches(b *testing.B) {
	globs := strings.Repeat(`"`+strings.Repeat("*a", 64)+`",`, 31) + `"b"`
	m, err := zipmod.Read("x", withFiles(b, subscribing(`{"on": "result", "commands": [`+globs+`], "run": "notify"}`)), zipmod.Options{})
	if err != nil {
		b.Fatal(err)
	}
	name := strings.Repeat("a", 500) + "c"
	b.ReportAllocs()
	for b.Loop() {
		if m.Subscriptions[0].Matches(name) {
			b.Fatal("it matches")
		}
	}
}
