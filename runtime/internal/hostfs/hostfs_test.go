package hostfs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

// plant makes files with their directories; one that ends in a slash is a directory.
func plant(t testing.TB, top string, files map[string]string) string {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(top, filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		if name[len(name)-1] == '/' {
			must(t, os.MkdirAll(path, 0o700))
		} else {
			must(t, os.WriteFile(path, []byte(content), 0o600))
		}
	}
	return top
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// harvest is what is in a directory, as plant takes it.
func harvest(t testing.TB, top string) map[string]string {
	t.Helper()
	files := map[string]string{}
	must(t, filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(top, path)
		rel = filepath.ToSlash(rel)
		switch {
		case err != nil || rel == ".":
		case e.IsDir():
			files[rel+"/"] = ""
		case e.Type().IsRegular():
			var content []byte
			content, err = os.ReadFile(path)
			files[rel] = string(content)
		default:
			files[rel] = e.Type().String()
		}
		return err
	}))
	return files
}

func open(t testing.TB, path string, o hostfs.Options) *hostfs.Dir {
	t.Helper()
	d, err := hostfs.Open(path, o)
	must(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

// quota is writable, with a quota.
func quota(bytes int64, files int) hostfs.Options {
	return hostfs.Options{Writable: true, Quota: &hostfs.Quota{Bytes: bytes, Files: files}}
}

// run is one that nothing ends and that may use everything.
func run() hostfs.Run {
	return hostfs.Run{Alive: func() {}, Allowed: func(string) bool { return true }}
}

// mount is what most tests see.
func mount(t testing.TB, path string, o hostfs.Options) sys.FS {
	t.Helper()
	return open(t, path, o).FS(run())
}

// read is the content of a file.
func read(m sys.FS, path string) (string, sys.Errno) {
	f, errno := m.OpenFile(path, sys.O_RDONLY, 0)
	if errno != 0 {
		return "", errno
	}
	defer f.Close()
	buf := make([]byte, 1<<16)
	n, errno := f.Read(buf)
	return string(buf[:n]), errno
}

// write makes a file, or replaces its content.
func write(m sys.FS, path, content string) sys.Errno {
	f, errno := m.OpenFile(path, sys.O_WRONLY|sys.O_CREAT|sys.O_TRUNC, 0o600)
	if errno != 0 {
		return errno
	}
	defer f.Close()
	_, errno = f.Write([]byte(content))
	return errno
}

// hold opens a file for reading and writing, and makes it if need be.
func hold(t testing.TB, m sys.FS, path string) sys.File {
	t.Helper()
	f, errno := m.OpenFile(path, sys.O_RDWR|sys.O_CREAT, 0o600)
	if errno != 0 {
		t.Fatalf("open %s: %v", path, errno)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// names lists a directory, by n at a time; directories end in a slash.
func names(t testing.TB, m sys.FS, path string, n int) []string {
	t.Helper()
	d, errno := m.OpenFile(path, sys.O_DIRECTORY, 0)
	if errno != 0 {
		t.Fatalf("open %s: %v", path, errno)
	}
	defer d.Close()
	var names []string
	for {
		list, errno := d.Readdir(n)
		if errno != 0 || n > 0 && len(list) > n {
			t.Fatalf("list %s: %d entries of %d, %v", path, len(list), n, errno)
		}
		if len(list) == 0 {
			return names
		}
		for _, e := range list {
			if e.Type == fs.ModeDir {
				e.Name += "/"
			}
			names = append(names, e.Name)
		}
	}
}
