package watch_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/watch"
)

func newWatch(t *testing.T, paths ...string) *watch.Watch {
	t.Helper()
	w, err := watch.New(time.Millisecond, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.Set(paths)
	return w
}

// wait waits for a change; the test's own time limit ends it.
func wait(t *testing.T, w *watch.Watch, what string) {
	t.Helper()
	t.Log(what)
	select {
	case <-w.Changed():
	case <-t.Context().Done():
		t.Fatalf("%s was not noticed", what)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// try does what must not fail.
func try(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestFiles changes a file in every way in which editors and tools do.
func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "config.toml")
	write(t, file, "a")
	w := newWatch(t, file)
	write(t, file, "ab")
	wait(t, w, "writing in place")
	write(t, filepath.Join(dir, "draft"), "xy")
	try(t, os.Rename(filepath.Join(dir, "draft"), file))
	wait(t, w, "renaming")
	try(t, os.Remove(file))
	wait(t, w, "removing")
	write(t, file, "xy")
	wait(t, w, "making")
	try(t, os.Chmod(file, 0o640))
	wait(t, w, "another mode")
}

// TestMissingDirectory waits for a file whose directory is made later.
func TestMissingDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "a", "users.toml")
	w := newWatch(t, file)
	try(t, os.MkdirAll(filepath.Dir(file), 0o700))
	write(t, file, "x")
	wait(t, w, "a file in a directory that was made")
}

// TestDirectories changes what is in a directory, and below it.
func TestDirectories(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "module")
	try(t, os.MkdirAll(filepath.Join(dir, "scripts"), 0o700))
	w := newWatch(t, dir)
	write(t, filepath.Join(dir, "module.json"), "{}")
	wait(t, w, "a new file")
	write(t, filepath.Join(dir, "scripts", "a.wasm"), "a")
	wait(t, w, "a new file below")
	try(t, os.RemoveAll(filepath.Join(dir, "scripts")))
	wait(t, w, "a directory that is gone")
}

// TestSet watches other files from now on, and does not forget what has happened to
// those that stay.
func TestSet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	write(t, first, "a")
	write(t, second, "a")
	w := newWatch(t, first)
	w.Set([]string{second})
	write(t, second, "ab")
	wait(t, w, "the second")
	w.Set([]string{first, second})
	write(t, first, "abc")
	wait(t, w, "the first")
}

func TestCloseTwice(t *testing.T) {
	t.Parallel()
	w := newWatch(t, t.TempDir())
	w.Close()
	w.Set(nil)
}
