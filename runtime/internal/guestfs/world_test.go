package guestfs_test

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	experimental "github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/guestfs"
	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

// A world is everything that a guest could reach, with an account of what was.
type world struct {
	config guestfs.Config
	top    string       // of the directories of the host
	port   string       // of a server on loopback, which says hello
	used   atomic.Int64 // connections, runs of commands and documents
}

// planted is what is in the world's directories of the host.
var planted = map[string]string{
	"secret/file": "secret", "outside.log": "secret",
	"logs/a.log": "line", "logs/b.log": "lines", "logs/sub/c.log": "deep", "logs/key.pem": "secret",
	"spool/old": "old", "spool/in/x": "x", "one.txt": "one", "state/kept": "kept",
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{top: t.TempDir()}
	for name, content := range planted {
		path := filepath.Join(w.top, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.serve(t)
	quota := &hostfs.Quota{Bytes: 1 << 20, Files: 100}
	document := func(content string) guestfs.Document {
		return func(context.Context) ([]byte, error) {
			w.used.Add(1)
			return []byte(content), nil
		}
	}
	w.config = guestfs.Config{
		Files: []guestfs.File{file("module.json"), file("scripts/a.wasm")},
		Host:  map[string]guestfs.Document{"memory": document("{}"), "processes": document("secret")},
		Env:   map[string]guestfs.Document{"TOKEN": document("token"), "OTHER": document("secret")},
		Directories: map[string]guestfs.Directory{
			"/files/logs":  w.directory("logs", hostfs.Options{}),
			"/files/spool": w.directory("spool", hostfs.Options{Writable: true, Quota: quota}),
			"/files/one":   w.directory("one.txt", hostfs.Options{}),
			"/state":       w.directory("state", hostfs.Options{Writable: true, Quota: quota}),
		},
		Commands: w.commands,
	}
	return w
}

// serve says hello to whoever connects.
func (w *world) serve(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			w.used.Add(1)
			io.WriteString(conn, "hello")
			conn.Close()
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	_, w.port, _ = net.SplitHostPort(l.Addr().String())
}

func (w *world) directory(name string, o hostfs.Options) guestfs.Directory {
	return func(run hostfs.Run) (experimental.FS, func(), error) {
		d, err := hostfs.Open(filepath.Join(w.top, name), o)
		if err != nil {
			return nil, nil, err
		}
		return d.FS(run), func() { d.Close() }, nil
	}
}

// commands are "status" and the module's own "mine", each of which answers with its
// arguments.
func (w *world) commands(name string) (guestfs.Command, bool) {
	if name != "status" && name != "mine" && name != "other" {
		return nil, false
	}
	return func(_ context.Context, args []string) []byte {
		w.used.Add(1)
		answer, _ := json.Marshal(append([]string{name}, args...))
		return answer
	}, name == "mine"
}

// tree is what there is in the world's directories of the host.
func (w *world) tree(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(w.top, func(path string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(w.top, path)
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		files[filepath.ToSlash(name)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// untouched wants that nothing was reached or changed.
func (w *world) untouched(t *testing.T) {
	t.Helper()
	if n := w.used.Load(); n != 0 {
		t.Errorf("%d connections, commands and documents were reached", n)
	}
	if got := w.tree(t); !maps.Equal(got, planted) {
		t.Errorf("the host's files are now %q", got)
	}
}

// A visit is one run in a world, with what it tried since it was last asked.
type visit struct {
	*guestfs.Mount
	attempts []guestfs.Attempt
}

// visit begins a run that may do what access says.
func (w *world) visit(t testing.TB, access policy.Access) *visit {
	t.Helper()
	return begin(t, w.config, access)
}

func begin(t testing.TB, c guestfs.Config, access policy.Access) *visit {
	t.Helper()
	c.Access = access
	root, err := guestfs.NewRoot(c)
	if err != nil {
		t.Fatal(err)
	}
	v := &visit{}
	v.Mount = root.Mount(guestfs.Run{Context: t.Context(), Alive: func() {}, OpenFiles: 10, Observe: func(a guestfs.Attempt) { v.attempts = append(v.attempts, a) }})
	t.Cleanup(v.Close)
	return v
}

// tried are the attempts since the last call.
func (v *visit) tried() []guestfs.Attempt {
	list := v.attempts
	v.attempts = nil
	return list
}

// reach opens a path for reading and returns its content, "dir" for a directory.
func (v *visit) reach(path string) (string, experimental.Errno) {
	f, errno := v.OpenFile(path, experimental.O_RDONLY, 0)
	if errno != 0 {
		return "", errno
	}
	defer f.Close()
	return content(f), 0
}

// closing opens a path with flags, and closes what that gives.
func closing(flag experimental.Oflag) func(m *guestfs.Mount, path string) experimental.Errno {
	return func(m *guestfs.Mount, path string) experimental.Errno {
		f, errno := m.OpenFile(path, flag, 0o600)
		if f != nil {
			f.Close()
		}
		return errno
	}
}

// readers are the ways of looking at a path.
var readers = map[string]func(m *guestfs.Mount, path string) experimental.Errno{
	"open":                closing(experimental.O_RDONLY),
	"open a directory":    closing(experimental.O_DIRECTORY),
	"open without links":  closing(experimental.O_NOFOLLOW),
	"open without a wait": closing(experimental.O_NONBLOCK),
	"stat":                func(m *guestfs.Mount, path string) experimental.Errno { _, e := m.Stat(path); return e },
	"lstat":               func(m *guestfs.Mount, path string) experimental.Errno { _, e := m.Lstat(path); return e },
	"readlink":            func(m *guestfs.Mount, path string) experimental.Errno { _, e := m.Readlink(path); return e },
}

// writers are the ways of changing what is at a path.
var writers = map[string]func(m *guestfs.Mount, path string) experimental.Errno{
	"open to write":      closing(experimental.O_WRONLY),
	"open for both":      closing(experimental.O_RDWR),
	"create":             closing(experimental.O_CREAT | experimental.O_RDWR),
	"create to read":     closing(experimental.O_CREAT),
	"create only":        closing(experimental.O_CREAT | experimental.O_EXCL | experimental.O_WRONLY),
	"truncate":           closing(experimental.O_TRUNC | experimental.O_RDWR),
	"truncate to read":   closing(experimental.O_TRUNC),
	"append":             closing(experimental.O_APPEND | experimental.O_WRONLY),
	"mkdir":              func(m *guestfs.Mount, path string) experimental.Errno { return m.Mkdir(path, 0o700) },
	"rmdir":              func(m *guestfs.Mount, path string) experimental.Errno { return m.Rmdir(path) },
	"unlink":             func(m *guestfs.Mount, path string) experimental.Errno { return m.Unlink(path) },
	"chmod":              func(m *guestfs.Mount, path string) experimental.Errno { return m.Chmod(path, 0o777) },
	"utimens":            func(m *guestfs.Mount, path string) experimental.Errno { return m.Utimens(path, 1, 1) },
	"symlink":            func(m *guestfs.Mount, path string) experimental.Errno { return m.Symlink("/etc/passwd", path) },
	"rename from":        func(m *guestfs.Mount, path string) experimental.Errno { return m.Rename(path, "moved") },
	"rename to":          func(m *guestfs.Mount, path string) experimental.Errno { return m.Rename("module.json", path) },
	"rename onto itself": func(m *guestfs.Mount, path string) experimental.Errno { return m.Rename(path, path) },
	"link from":          func(m *guestfs.Mount, path string) experimental.Errno { return m.Link(path, "linked") },
	"link to":            func(m *guestfs.Mount, path string) experimental.Errno { return m.Link("module.json", path) },
}

// capability is the first segment of a path.
func capability(path string) string {
	first, _, _ := strings.Cut(strings.TrimLeft(path, "./"), "/")
	return first
}
