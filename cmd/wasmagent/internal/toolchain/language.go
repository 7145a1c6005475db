package toolchain

import (
	"context"
	"path/filepath"
	"slices"
)

// A language is a way to build a program.
type language struct {
	// holds tells whether a file of this name makes a directory a program of
	// the language.
	holds func(file string) bool
	// tools are the executables that take part, by name.
	tools []string
	// caches is whether the compiler itself knows what has changed.
	caches bool
	// compile builds the program into the file out.
	compile func(ctx context.Context, s source, out string) error
}

// languages are those that can be built; the first that holds a directory wins.
func languages() []language {
	return []language{
		{holds: named("go.mod", "*.go"), caches: true, compile: compileGo},
		{holds: named("Cargo.toml"), caches: true, compile: compileCargo},
		{holds: named("*.rs"), tools: []string{"rustc"}, compile: compileRust},
		{holds: named("asconfig.json", "*.ts"), tools: []string{"asc"}, compile: compileAssemblyScript},
		{holds: named("*.c"), tools: []string{"clang", "zig"}, compile: compileC},
		{holds: named("*.wat"), tools: []string{"wat2wasm"}, compile: compileWAT},
	}
}

// named tells whether a file's name matches one of the patterns.
func named(patterns ...string) func(file string) bool {
	return func(file string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			ok, _ := filepath.Match(p, file)
			return ok
		})
	}
}
