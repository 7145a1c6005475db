package codecache_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/runtime/internal/codecache"
)

// Two keys as callers make them.
var (
	keyA = strings.Repeat("a", 64)
	keyB = strings.Repeat("b", 64)
)

// open opens a cache in a new directory, and returns that too.
func open(t *testing.T) (*codecache.Cache, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "new", "cache")
	c, err := codecache.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c, dir
}

// publish puts an entry into a cache: one file, in a directory as wazero makes.
func publish(t *testing.T, c *codecache.Cache, key, code string) {
	t.Helper()
	d, err := c.Draft()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Discard()
	write(t, filepath.Join(d.Dir(), "version", "code"), code)
	if err := d.Publish(key); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	c, dir := open(t)
	if _, err := c.Find(keyA); err != fs.ErrNotExist {
		t.Fatalf("an empty cache: %v; want %v", err, fs.ErrNotExist)
	}
	publish(t, c, keyA, "machine code")
	publish(t, c, keyA, "of another process, which was second")
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, keyA), old, old); err != nil {
		t.Fatal(err)
	}
	found, err := c.Find(keyA)
	if err != nil {
		t.Fatal(err)
	}
	if code, err := os.ReadFile(filepath.Join(found, "version", "code")); string(code) != "machine code" {
		t.Errorf("found %q, %v", code, err)
	}
	if info, _ := os.Stat(filepath.Join(dir, keyA)); !info.ModTime().After(old.Add(time.Minute)) {
		t.Errorf("using the entry left its time at %v", info.ModTime())
	}
	if list, _ := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("the cache holds %v; want one entry", list)
	}
	if err := c.Remove(keyA); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Find(keyA); err != fs.ErrNotExist {
		t.Errorf("after it was removed: %v", err)
	}
}

func TestDamage(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, entry string){
		"truncated":        func(t *testing.T, e string) { write(t, e+"/code/version/code", "machine") },
		"emptied":          func(t *testing.T, e string) { write(t, e+"/code/version/code", "") },
		"a byte changed":   func(t *testing.T, e string) { write(t, e+"/code/version/code", "machine cobe") },
		"a foreign file":   func(t *testing.T, e string) { write(t, e+"/code/version/other", "x") },
		"renamed":          func(t *testing.T, e string) { rename(t, e+"/code/version/code", e+"/code/version/c") },
		"moved":            func(t *testing.T, e string) { rename(t, e+"/code/version/code", e+"/code/code") },
		"no code":          func(t *testing.T, e string) { remove(t, e+"/code/version/code") },
		"no code at all":   func(t *testing.T, e string) { remove(t, e+"/code") },
		"no checksum":      func(t *testing.T, e string) { remove(t, e+"/checksum") },
		"checksum emptied": func(t *testing.T, e string) { write(t, e+"/checksum", "") },
		"checksum changed": func(t *testing.T, e string) { write(t, e+"/checksum", strings.Repeat("x", 32)) },
		"checksum a directory": func(t *testing.T, e string) {
			remove(t, e+"/checksum")
			write(t, e+"/checksum/x", "")
		},
		"a file": func(t *testing.T, e string) {
			remove(t, e)
			write(t, e, "machine code")
		},
		"under another's key": func(t *testing.T, e string) {
			remove(t, e)
			rename(t, filepath.Join(filepath.Dir(e), keyB), e)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, dir := open(t)
			publish(t, c, keyA, "machine code")
			publish(t, c, keyB, "other code")
			damage(t, filepath.Join(dir, keyA))
			if found, err := c.Find(keyA); err == nil || errors.Is(err, fs.ErrNotExist) && !strings.Contains(err.Error(), "damaged") {
				t.Errorf("found %q, %v; want what is wrong", found, err)
			}
			if _, err := c.Find(keyA); err != fs.ErrNotExist {
				t.Errorf("the second time: %v; want it gone", err)
			}
			publish(t, c, keyA, "machine code")
			if _, err := c.Find(keyA); err != nil {
				t.Errorf("after it was made anew: %v", err)
			}
		})
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func TestDraft(t *testing.T) {
	t.Parallel()
	c, dir := open(t)
	d, err := c.Draft()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Publish(keyA); err == nil {
		t.Error("a draft without code was published")
	}
	d.Discard()
	if list, _ := os.ReadDir(dir); len(list) != 0 {
		t.Errorf("a discarded draft left %v", list)
	}
	remove(t, dir)
	if _, err := c.Draft(); err == nil {
		t.Error("a draft in a cache that is gone")
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	_, dir := open(t)
	now := time.Now()
	for name, row := range map[string]struct {
		age  time.Duration
		kept bool
	}{
		keyA:                    {codecache.Unused + time.Hour, false},
		keyB:                    {codecache.Unused - time.Hour, true},
		"draft-1":               {25 * time.Hour, false},
		"draft-2":               {23 * time.Hour, true},
		"not-ours":              {1000 * time.Hour, true},
		strings.Repeat("g", 64): {1000 * time.Hour, true},
		keyA + "a":              {1000 * time.Hour, true},
	} {
		path := filepath.Join(dir, name)
		write(t, filepath.Join(path, "code", "x"), "x")
		if err := os.Chtimes(path, now, now.Add(-row.age)); err != nil {
			t.Fatal(err)
		}
		if _, err := codecache.Open(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); (err == nil) != row.kept {
			t.Errorf("%s after %v: %v; want it kept: %v", name, row.age, err, row.kept)
		}
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	c, dir := open(t)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := c.Find(keyA); err == fs.ErrNotExist {
				publish(t, c, keyA, "machine code")
			}
			if _, err := c.Find(keyA); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if list, _ := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("the cache holds %v; want one entry", list)
	}
}

func TestOpenRefusesFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "")
	if _, err := codecache.Open(path); err == nil {
		t.Error("a file was opened as a cache")
	}
}
