package runtime_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	goruntime "runtime"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/runtime/internal/codecache"
)

// entries are the two entries of a cache of one program.
func entries(t *testing.T, dir string) (record, code string) {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, strings.Repeat("[0-9a-f]", 64)))
	if err != nil || len(list) != 2 {
		t.Fatalf("the cache holds %v, %v; want two entries", list, err)
	}
	first, err := os.ReadFile(list[0])
	if err != nil {
		t.Fatal(err)
	}
	if bytes.HasPrefix(first, []byte("WAZEVO")) {
		return list[1], list[0]
	}
	return list[0], list[1]
}

func edit(t *testing.T, file string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, change(data), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestCacheDamage damages each entry of the cache in every way between two engines. The
// second answers right, and leaves a cache that the third can use.
func TestCacheDamage(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	flip := func(at func(size int) int) func(*testing.T, string, string) {
		return func(t *testing.T, _, file string) {
			edit(t, file, func(b []byte) []byte { b[at(len(b))] ^= 1; return b })
		}
	}
	replace := func(with []byte) func(*testing.T, string, string) {
		return func(t *testing.T, _, file string) { edit(t, file, func([]byte) []byte { return with }) }
	}
	for name, damage := range map[string]func(t *testing.T, dir, file string){
		"nothing":               nil,
		"a byte of the head":    flip(func(int) int { return 0 }),
		"a function's offset":   flip(func(int) int { return 30 }),
		"a byte in the middle":  flip(func(n int) int { return n / 2 }),
		"a byte of the trailer": flip(func(n int) int { return n - 40 }),
		"the last byte":         flip(func(n int) int { return n - 1 }),
		"emptied":               replace(nil),
		"foreign":               replace(bytes.Repeat([]byte("x"), 1000)),
		"truncated": func(t *testing.T, _, file string) {
			edit(t, file, func(b []byte) []byte { return b[:len(b)/2] })
		},
		"appended to": func(t *testing.T, _, file string) {
			edit(t, file, func(b []byte) []byte { return append(b, 0) })
		},
		"a directory": func(t *testing.T, _, file string) {
			remove(t, file)
			if err := os.Mkdir(file, 0o700); err != nil {
				t.Fatal(err)
			}
		},
		"removed": func(t *testing.T, _, file string) { remove(t, file) },
		"another program's": func(t *testing.T, dir, file string) {
			other := filepath.Join(t.TempDir(), "other")
			program(t, newEngine(t, runtime.Config{CacheDir: other}), Print("CRITICAL", 2)).Close()
			record, code := entries(t, other)
			if mine, _ := entries(t, dir); mine == file {
				code = record
			}
			remove(t, file)
			if err := os.Rename(code, file); err != nil {
				t.Fatal(err)
			}
		},
		"of another compiler": func(t *testing.T, dir, file string) { // as of another processor
			remove(t, file)
			republish(t, dir, filepath.Base(file), filepath.Join("wazero", strings.Repeat("0", 64)), "WAZEVO")
		},
		"the compiler's name and no code": func(t *testing.T, dir, file string) {
			_, code := entries(t, dir)
			name := compilersName(t, dir, filepath.Base(code))
			remove(t, file)
			republish(t, dir, filepath.Base(file), name, "WAZEVO of nothing")
		},
		"a name elsewhere": func(t *testing.T, dir, file string) {
			remove(t, file)
			republish(t, dir, filepath.Base(file), "x", "")
		},
	} {
		for which, compiled := range map[string]int{"record": 0, "code": 1} {
			t.Run(name+"/"+which, func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(t.TempDir(), "cache")
				answer := func(want int) {
					t.Helper()
					var count counter
					e := newEngine(t, runtime.Config{CacheDir: dir, Compiling: count.compiling, Log: quiet})
					out, err := program(t, e, Print("OK", 0)).Run(t.Context(), runtime.Guest{})
					if err != nil || string(out.Stdout) != "OK" {
						t.Errorf("printed %q, %v", out.Stdout, err)
					}
					if got := count.began["test.wasm"]; got != want {
						t.Errorf("compiled %d times; want %d", got, want)
					}
					e.Close()
					entries(t, dir)
					if left, _ := os.ReadDir(dir); len(left) != 2 {
						t.Errorf("left behind: %v", left)
					}
				}
				answer(1)
				record, code := entries(t, dir)
				switch {
				case damage == nil:
					compiled = 0
				case which == "record":
					damage(t, dir, record)
				default:
					damage(t, dir, code)
				}
				answer(compiled)
				answer(0)
			})
		}
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// draft opens a cache and makes a draft in it, which has to be discarded.
func draft(t *testing.T, dir string) (*codecache.Cache, *codecache.Draft) {
	t.Helper()
	c, err := codecache.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.Draft()
	if err != nil {
		t.Fatal(err)
	}
	return c, d
}

// republish makes an entry, under a right checksum, of the file of a draft.
func republish(t *testing.T, dir, key, name, content string) {
	t.Helper()
	_, d := draft(t, dir)
	defer d.Discard()
	file := filepath.Join(d.Dir(), name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Publish(key); err != nil {
		t.Fatal(err)
	}
}

// compilersName is the name that the compiler gave to the code under a key.
func compilersName(t *testing.T, dir, key string) string {
	t.Helper()
	c, d := draft(t, dir)
	defer d.Discard()
	file, err := c.Link(key, d)
	if err != nil {
		t.Fatal(err)
	}
	name, err := filepath.Rel(d.Dir(), file)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// TestCacheGone removes the cache's directory while the engine uses it.
func TestCacheGone(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	dir := filepath.Join(t.TempDir(), "cache")
	var log strings.Builder
	e := newEngine(t, runtime.Config{CacheDir: dir, Log: slog.New(slog.NewTextHandler(&log, nil))})
	program(t, e, Print("WARNING", 1)).Close()
	if strings.Contains(log.String(), "cache") {
		t.Errorf("the log says %q of a cache that is there", log.String())
	}
	remove(t, dir)
	out, err := program(t, e, Print("OK", 0)).Run(t.Context(), runtime.Guest{})
	if err != nil || string(out.Stdout) != "OK" {
		t.Errorf("printed %q, %v", out.Stdout, err)
	}
	if !strings.Contains(log.String(), "not kept in the cache") {
		t.Errorf("the log says %q", log.String())
	}
}

// TestCacheIsShared has several engines, as processes would, compile the same.
func TestCacheIsShared(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	dir := filepath.Join(t.TempDir(), "cache")
	var group sync.WaitGroup
	for i := range 8 {
		e := newEngine(t, runtime.Config{CacheDir: dir, Log: quiet})
		group.Go(func() {
			defer e.Close()
			for round := range 4 {
				p, err := e.Program(t.Context(), fmt.Sprint(i), Print("OK", 0), policy.Limits{})
				if err != nil {
					t.Error(err)
					return
				}
				if out, err := p.Run(t.Context(), runtime.Guest{}); err != nil || string(out.Stdout) != "OK" {
					t.Errorf("engine %d, round %d: %q, %v", i, round, out.Stdout, err)
				}
				p.Close()
			}
		})
	}
	group.Wait()
	entries(t, dir)
	if list, _ := os.ReadDir(dir); len(list) != 2 {
		t.Errorf("the cache holds %v; want two entries", list)
	}
}

func TestNewEngineRefusesDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() // its mode is 0777 without the umask's bits
	if goruntime.GOOS == "windows" {
		dir = filepath.Join(dir, "nul\x00")
	}
	if _, err := runtime.NewEngine(runtime.Config{CacheDir: dir}); err == nil || !strings.Contains(err.Error(), "cache directory") {
		t.Errorf("a cache that others can read: %v", err)
	}
}
