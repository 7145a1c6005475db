// Package toolchain builds the programs of a module that is being written: a
// directory scripts/NAME with a Go, C, Rust, AssemblyScript or WebAssembly text
// program becomes scripts/NAME.wasm, unless that file is there.
//
// Guarantees: the module's directory is not written to, but for the Cargo.lock
// that Cargo itself leaves beside a Cargo.toml; what is built goes to a directory of the agent's user. A program whose sources and
// compiler have not changed is not compiled again. A program that cannot be
// built, for want of a compiler or for a mistake in it, is reported with what to
// do and does not keep the others from being built. What a compiler prints is
// bounded. A build that is cancelled ends its compilers and leaves nothing.
//
// Compilers run with the rights and the environment of the agent's user, and a
// build may run code of the module's author: only directories are built, never
// what travels in a zip. A Builder may be used from several goroutines and
// several processes at one time.
package toolchain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"
	"time"

	"github.com/wasmagent/wasmagent/internal/private"
)

// A Builder builds programs.
type Builder struct {
	// Dir keeps what was built. Empty keeps nothing.
	Dir string
	// Building, if set, is called when the build of a program starts, with its
	// name; the func that it returns is called when it ends. Calls may be
	// concurrent.
	Building func(name string) (done func())
}

// Programs are what came of the programs of one module, by the name that the
// file has in the module, such as "scripts/check_x.wasm".
type Programs struct {
	// Built are the contents of the files; nil for one that the module has.
	Built map[string][]byte
	// Absent is why a program could not be built.
	Absent map[string]error
}

// Build builds the missing programs of the module in a directory. An error
// means that nothing could be tried.
func (b Builder) Build(ctx context.Context, dir string) (Programs, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Programs{}, err
	}
	sources, err := find(dir)
	if err != nil || len(sources) == 0 {
		return Programs{}, err
	}
	work, done, err := b.work(dir)
	if err != nil {
		return Programs{}, err
	}
	defer done()
	programs := b.all(ctx, sources, work)
	if ctx.Err() != nil {
		return Programs{}, context.Cause(ctx)
	}
	return programs, nil
}

// all builds the programs, several at a time.
func (b Builder) all(ctx context.Context, sources []source, work string) Programs {
	programs := Programs{Built: map[string][]byte{}, Absent: map[string]error{}}
	var lock sync.Mutex
	var group sync.WaitGroup
	slots := make(chan struct{}, goruntime.GOMAXPROCS(0))
	for _, s := range sources {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			s.work = work
			data, err := b.one(ctx, s)
			lock.Lock()
			defer lock.Unlock()
			if err != nil {
				programs.Absent[s.name] = fmt.Errorf("it cannot be built from scripts/%s: %w", s.base(), err)
				return
			}
			programs.Built[s.name] = data
		})
	}
	group.Wait()
	return programs
}

// one returns the program of a source, compiled if it is not there already; nil
// for one that the module has. The compiler writes beside the program, so that
// nobody reads half of one.
func (b Builder) one(ctx context.Context, s source) ([]byte, error) {
	if s.built() {
		return nil, nil
	}
	kept, err := s.kept()
	if err != nil {
		return nil, err
	}
	if data, err := os.ReadFile(kept); err == nil && !s.language.caches {
		return data, nil
	}
	if b.Building != nil {
		defer b.Building(s.name)()
	}
	temp, err := os.MkdirTemp(s.work, draft+"*")
	if err != nil {
		temp, err = os.MkdirTemp("", "wasmagent-"+draft+"*") // the cache is read-only
	}
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	out := filepath.Join(temp, s.base()+".wasm")
	if s.language.caches {
		copyFile(kept, out) // a compiler that finds its output up to date leaves it
	}
	if err := s.language.compile(ctx, s, out); err != nil {
		return nil, err
	}
	return keep(out, kept, s.base())
}

// keep moves a new program to where it is kept, in place of its predecessors. If
// it cannot, the next build takes as long.
func keep(out, kept, base string) ([]byte, error) {
	data, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("the compiler left no program behind: %w", err)
	}
	old, _ := filepath.Glob(filepath.Join(filepath.Dir(kept), base+"-*.wasm"))
	for _, name := range old {
		os.Remove(name)
	}
	os.Rename(out, kept)
	return data, nil
}

// copyFile copies a file if it can.
func copyFile(from, to string) {
	if data, err := os.ReadFile(from); err == nil {
		os.WriteFile(to, data, 0o600)
	}
}

// work is the directory for what a module's directory is built into; done
// removes it if nothing is kept, or nothing can be.
func (b Builder) work(dir string) (work string, done func(), err error) {
	if b.Dir != "" && os.MkdirAll(b.Dir, 0o700) == nil {
		if err := private.Dir(b.Dir); err != nil {
			return "", nil, fmt.Errorf("directory %s for what is built: %w", b.Dir, err)
		}
		sum := sha256.Sum256([]byte(dir))
		work = filepath.Join(b.Dir, filepath.Base(dir)+"-"+hex.EncodeToString(sum[:8]))
		if os.MkdirAll(work, 0o700) == nil {
			removeDrafts(work, time.Now().Add(-24*time.Hour))
			return work, func() {}, nil
		}
	}
	work, err = os.MkdirTemp("", "wasmagent-build-")
	return work, func() { os.RemoveAll(work) }, err
}

// draft begins the name of a directory for one run of a compiler.
const draft = "build-"

// removeDrafts removes what builds have left behind that began before a time and
// were killed.
func removeDrafts(work string, before time.Time) {
	entries, _ := os.ReadDir(work)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasPrefix(e.Name(), draft) && info.ModTime().Before(before) {
			os.RemoveAll(filepath.Join(work, e.Name()))
		}
	}
}
