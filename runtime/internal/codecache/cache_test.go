package codecache_test

import (
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

// publish puts an entry into a cache that a compiler made, in a directory as wazero
// makes.
func publish(t *testing.T, c *codecache.Cache, key, code string) {
	t.Helper()
	d := draft(t, c)
	write(t, filepath.Join(d.Dir(), "version", "code"), code)
	if err := d.Publish(key); err != nil {
		t.Fatal(err)
	}
}

func draft(t *testing.T, c *codecache.Cache) *codecache.Draft {
	t.Helper()
	d, err := c.Draft()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Discard)
	return d
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

// content is the content of an entry by both ways to it, which must agree.
func content(t *testing.T, c *codecache.Cache, key string) (string, error) {
	t.Helper()
	d := draft(t, c)
	file, err := c.Link(key, d)
	if err != nil {
		if list, _ := filepath.Glob(filepath.Join(d.Dir(), "*", "*")); len(list) > 0 {
			t.Errorf("the draft holds %v after %v", list, err)
		}
		return "", err
	}
	if want := filepath.Join(d.Dir(), "version", "code"); file != want {
		t.Errorf("linked as %s; want %s", file, want)
	}
	linked, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	read, err := c.Read(key)
	if err != nil || !strings.HasPrefix(string(linked), string(read)) {
		t.Errorf("read %q, %v; linked %q", read, err, linked)
	}
	return string(read), err
}

func TestEntry(t *testing.T) {
	t.Parallel()
	c, dir := open(t)
	if _, err := c.Read(keyA); err != fs.ErrNotExist {
		t.Fatalf("reading from an empty cache: %v; want %v", err, fs.ErrNotExist)
	}
	if _, err := c.Link(keyA, draft(t, c)); err != fs.ErrNotExist {
		t.Fatalf("linking from an empty cache: %v; want %v", err, fs.ErrNotExist)
	}
	publish(t, c, keyA, "machine code")
	publish(t, c, keyA, "of another process, which was second")
	old := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, keyA), old, old); err != nil {
		t.Fatal(err)
	}
	if code, err := content(t, c, keyA); code != "machine code" || err != nil {
		t.Errorf("found %q, %v", code, err)
	}
	if info, _ := os.Stat(filepath.Join(dir, keyA)); !info.ModTime().After(old.Add(time.Minute)) {
		t.Errorf("using the entry left its time at %v", info.ModTime())
	}
	if err := c.Remove(keyA); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(keyA); err != fs.ErrNotExist {
		t.Errorf("after it was removed: %v", err)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	c, dir := open(t)
	for _, want := range []string{"a record", ""} {
		if err := c.Write(keyA, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Read(keyA); string(got) != want || err != nil {
			t.Errorf("read %q, %v; want %q", got, err, want)
		}
	}
	if list, _ := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("the cache holds %v; want one entry", list)
	}
	if file, err := c.Link(keyA, draft(t, c)); err == nil || !strings.Contains(err.Error(), "not the code") {
		t.Errorf("linked %s, %v; want no code", file, err)
	}
	remove(t, dir)
	if err := c.Write(keyA, nil); err == nil {
		t.Error("written to a cache that is gone")
	}
}

// TestLinkTwice links entries into one draft, which is made anew where it is gone.
func TestLinkTwice(t *testing.T) {
	t.Parallel()
	c, _ := open(t)
	publish(t, c, keyA, "machine code")
	publish(t, c, keyB, "other code")
	d := draft(t, c)
	for _, gone := range []bool{false, false, true} {
		if gone {
			remove(t, d.Dir())
		}
		for key, want := range map[string]string{keyA: "machine code", keyB: "other code"} {
			file, err := c.Link(key, d)
			if err != nil {
				t.Fatal(err)
			}
			if code, err := os.ReadFile(file); !strings.HasPrefix(string(code), want) {
				t.Errorf("linked %q, %v; want %q", code, err, want)
			}
		}
	}
}

func TestDamage(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, entry string){
		"truncated":      func(t *testing.T, e string) { edit(t, e, func(s string) string { return s[:len(s)-1] }) },
		"halved":         func(t *testing.T, e string) { edit(t, e, func(s string) string { return s[:len(s)/2] }) },
		"emptied":        func(t *testing.T, e string) { write(t, e, "") },
		"appended to":    func(t *testing.T, e string) { edit(t, e, func(s string) string { return s + "x" }) },
		"a byte of code": func(t *testing.T, e string) { edit(t, e, func(s string) string { return "M" + s[1:] }) },
		"another name": func(t *testing.T, e string) {
			edit(t, e, func(s string) string { return strings.Replace(s, "version", "Version", 1) })
		},
		"another checksum": func(t *testing.T, e string) {
			edit(t, e, func(s string) string { return s[:len(s)-32] + strings.Repeat("x", 32) })
		},
		"an endless name": func(t *testing.T, e string) {
			edit(t, e, func(s string) string { return s[:len(s)-34] + "\xff\xff" + s[len(s)-32:] })
		},
		"foreign":           func(t *testing.T, e string) { write(t, e, strings.Repeat("machine code", 100)) },
		"a directory":       func(t *testing.T, e string) { remove(t, e); write(t, filepath.Join(e, "code"), "machine code") },
		"under another key": func(t *testing.T, e string) { remove(t, e); rename(t, filepath.Join(filepath.Dir(e), keyB), e) },
	} {
		for way, find := range map[string]func(*testing.T, *codecache.Cache) (string, error){
			"read": func(_ *testing.T, c *codecache.Cache) (string, error) {
				found, err := c.Read(keyA)
				return string(found), err
			},
			"link": func(t *testing.T, c *codecache.Cache) (string, error) { return content(t, c, keyA) },
		} {
			t.Run(name+"/"+way, func(t *testing.T) {
				t.Parallel()
				c, dir := open(t)
				publish(t, c, keyA, "machine code")
				publish(t, c, keyB, "other code")
				damage(t, filepath.Join(dir, keyA))
				if found, err := find(t, c); found != "" || err == nil || !strings.Contains(err.Error(), "damaged") {
					t.Errorf("found %q, %v; want what is wrong", found, err)
				}
				if _, err := find(t, c); err != fs.ErrNotExist {
					t.Errorf("the second time: %v; want it gone", err)
				}
				publish(t, c, keyA, "machine code")
				if found, err := find(t, c); found != "machine code" || err != nil {
					t.Errorf("after it was made anew: %q, %v", found, err)
				}
			})
		}
	}
}

func edit(t *testing.T, file string, change func(string) string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, change(string(data)))
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
	d := draft(t, c)
	if err := d.Publish(keyA); err == nil {
		t.Error("a draft without code was published")
	}
	write(t, filepath.Join(d.Dir(), "code"), "x")
	write(t, filepath.Join(d.Dir(), "version", "code"), "x")
	if err := d.Publish(keyA); err == nil {
		t.Error("a draft with code twice was published")
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
		if strings.HasPrefix(name, "draft") {
			write(t, filepath.Join(path, "code", "x"), "x")
		} else {
			write(t, path, "x")
		}
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
			if _, err := c.Read(keyA); err == fs.ErrNotExist {
				publish(t, c, keyA, "machine code")
			}
			if _, err := content(t, c, keyA); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	discarded, _ := filepath.Glob(filepath.Join(dir, "draft-*"))
	for _, d := range discarded { // which the end of the test would discard
		remove(t, d)
	}
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
