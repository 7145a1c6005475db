//go:build unix

package guestfs_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
)

// astray are links in /files/logs. Those in "open" are granted.
var astray = map[string]string{
	"open/in": "../a.log", "open/self": "self", "open/chain": "in", "open/chain2": "chain", "open/denied": "../key.pem", "open/viadenied": "../links/in",
	"open/out": "../../secret/file", "open/abs": "/etc/passwd", "open/root": "/proc/self/root", "open/cwd": "/proc/self/cwd", "open/dir": "..", "open/null": "/dev/null",
	"open/dangling": "../none.log", "open/danglingdenied": "../none.pem", "open/danglingout": "../../none", "links/in": "../a.log",
}

// TestLinks follows links of the host that lead to what is granted, and to what is
// not. A link in the way is a refusal like any other.
func TestLinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, target := range astray {
		at := filepath.Join(w.top, "logs", name)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(w.top, "logs", "open", "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	v := w.visit(t, both("/files/logs/*.log", "/files/logs/open", "/files/logs/open/**"))
	rows := []escape{
		{"files/logs/open/in", "line", 0, false},
		{"files/logs/open/chain2", "line", 0, false},
		{"files/logs/open/dangling", "", experimental.ENOENT, false},
		{"files/logs/open/self", "", experimental.ELOOP, false},
		{"files/logs/open/self/x", "", experimental.ELOOP, false},
		{"files/logs/open/in/x", "", experimental.EACCES, true}, // is a.log/x, which is not granted
	}
	for _, name := range []string{"denied", "viadenied", "out", "abs", "root/etc/passwd", "cwd/go.mod", "dir", "dir/key.pem", "null", "danglingdenied", "danglingout", "fifo"} {
		rows = append(rows, escape{"files/logs/open/" + name, "", experimental.EACCES, true})
	}
	v.tries(t, rows)
	why := map[string]string{"denied": "it leads to, or holds, /files/logs/key.pem", "out": "a link leads out", "fifo": "neither a file nor a directory"}
	for name, want := range why {
		v.tried()
		v.reach("files/logs/open/" + name)
		if a := v.tried()[0]; !strings.Contains(a.Why, want) {
			t.Errorf("%s: %q; want %q", name, a.Why, want)
		}
	}
	if got := w.tree(t); !maps.Equal(got, planted) {
		t.Errorf("the host's files are now %q", got)
	}
}

// TestTwinsOfNames has names that look alike and differ in their bytes.
func TestTwinsOfNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visit(t, both("/files/logs/*.log", "/env/*", "/command/*"))
	var rows []escape
	for _, name := range []string{"ａ.log", "\u0430.log", "a\u200b.log", "\u202ea.log", "a\u0301.log", " a.log", "a.log.log", "á.log"} {
		rows = append(rows, escape{"files/logs/" + name, "", experimental.ENOENT, false})
	}
	for _, name := range []string{"TOKEN\u200b", "ＴOKEN", "TO\u212aEN", "\u0442oken"} {
		rows = append(rows, escape{"env/" + name, "", experimental.ENOENT, false}, escape{"command/" + name, "", experimental.ENOENT, false})
	}
	v.tries(t, rows)
	w.untouched(t)
}
