//go:build unix

package toolchain_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/toolchain"
)

// standIn puts a shell script in the place of the Go compiler.
func standIn(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

// toOut has a stand-in, which lists no files, write lines to the file that the
// compiler is to make.
const toOut = "[ \"$1\" = list ] && exit\nwhile [ \"$1\" != -o ]; do shift; done\nprintf '%s\\n' "

// TestCancel wants nothing left of a compiler that is told to end: neither what
// it has started, which holds a pipe open and ignores being asked, nor its
// temporary files.
func TestCancel(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	standIn(t, "touch \"$TMPDIR/left\"\nexec 3>'"+pipe+"'\nsleep 1000000 &\necho started >&3\nwait\n")
	b := toolchain.Builder{Dir: filepath.Join(t.TempDir(), "build")}
	dir := lay(t, map[string]string{"scripts/x/main.go": goProgram})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := b.Build(ctx, dir)
		done <- err
	}()
	started, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer started.Close()
	r := bufio.NewReader(started)
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil { // ends when the last of the group has
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(b.Dir, "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("%q is left", left)
	}
}

// TestDrafts removes what a build that was killed has left, but not that of one
// that may be under way.
func TestDrafts(t *testing.T) {
	standIn(t, toOut+"program > \"$2\"\n")
	b := toolchain.Builder{Dir: filepath.Join(t.TempDir(), "build")}
	dir := lay(t, map[string]string{"scripts/x/main.go": goProgram})
	built := func() string {
		programs, err := b.Build(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		return string(programs.Built["scripts/x.wasm"])
	}
	if got := built(); got != "program\n" {
		t.Fatalf("built %q", got)
	}
	kept, err := filepath.Glob(filepath.Join(b.Dir, "*", "x.wasm"))
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	old, young := filepath.Join(filepath.Dir(kept[0]), "build-1"), filepath.Join(filepath.Dir(kept[0]), "build-2")
	for name, age := range map[string]time.Duration{filepath.Join(old, "x"): 48 * time.Hour, filepath.Join(young, "x"): time.Hour} {
		if err := errors.Join(os.MkdirAll(name, 0o700), os.Chtimes(filepath.Dir(name), time.Time{}, time.Now().Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	built()
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old directory: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("the young directory: %v", err)
	}
}

// TestGoWithoutAHome gives Go places for its own files where the user has none.
func TestGoWithoutAHome(t *testing.T) {
	standIn(t, toOut+"\"$GOCACHE\" \"$GOPATH\" \"$GOFLAGS\" > \"$2\"\n")
	for name := range map[string]bool{"HOME": true, "XDG_CACHE_HOME": true, "GOCACHE": true, "GOPATH": true, "GOMODCACHE": true, "GOFLAGS": true} {
		t.Setenv(name, "")
	}
	dir := lay(t, map[string]string{"scripts/x/main.go": goProgram})
	lines := func() []string {
		programs, err := toolchain.Builder{}.Build(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(programs.Built["scripts/x.wasm"]), "\n")
	}
	if got := lines(); !filepath.IsAbs(got[0]) || !filepath.IsAbs(got[1]) || !strings.Contains(got[2], "-modcacherw") {
		t.Errorf("without a home: %q", got)
	}
	t.Setenv("GOPATH", "/go")
	if got := lines(); !filepath.IsAbs(got[0]) || got[1] != "/go" || got[2] != "" {
		t.Errorf("with a GOPATH: %q", got)
	}
	t.Setenv("HOME", t.TempDir())
	if got := lines(); got[0] != "" {
		t.Errorf("with a home: %q", got)
	}
}

// TestRustThatMakesNoReactors has a command be built where a reactor cannot be
// linked.
func TestRustThatMakesNoReactors(t *testing.T) {
	rust := rustFor(t)
	dir := t.TempDir()
	script := "#!/bin/sh\ncase \"$*\" in *--entry=_initialize*) exit 1;; esac\nexec '" + rust[0] + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "rustc"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	b := toolchain.Builder{Dir: filepath.Join(t.TempDir(), "build")}
	begins(t, build(t, b, lay(t, map[string]string{"scripts/x/main.rs": rustProgram})), "_start")
	if left, err := filepath.Glob(filepath.Join(b.Dir, "*", "*.o")); err != nil || len(left) > 0 {
		t.Errorf("%q is left", left)
	}
}
