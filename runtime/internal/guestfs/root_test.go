package guestfs_test

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/guestfs"
)

// newYear is the time of the files in these tests.
var newYear = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

func file(name string) guestfs.File {
	return guestfs.File{Name: name, Data: []byte("content of " + name), ModTime: newYear}
}

func fact(document string) guestfs.Document {
	return func(context.Context) ([]byte, error) { return []byte(document), nil }
}

// access allows what a pattern matches.
func access(patterns ...string) policy.Access {
	a := policy.Access{Asked: patterns}
	for _, p := range patterns {
		a.Granted = append(a.Granted, policy.Grant{Pattern: p})
	}
	return a
}

// tree is what most tests see.
func tree(t testing.TB) *guestfs.Root {
	t.Helper()
	root, err := guestfs.NewRoot(guestfs.Config{
		Files:  []guestfs.File{file("module.json"), file("scripts/a.wasm"), file("scripts/deep/er/x"), file("scripts/b.sh"), file("Case"), file("case")},
		Access: access("/host/**"),
		Host:   map[string]guestfs.Document{"memory": fact(`{"total": 1}`), "cpu": fact(`{}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// mount is the tree of one run that nothing ends, with room for ten open files.
func mount(t testing.TB) *guestfs.Mount {
	return tree(t).Mount(guestfs.Run{Context: t.Context(), Alive: func() {}, OpenFiles: 10})
}

func TestNewRootRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", guestfs.MaxName+1)
	for _, row := range []struct {
		files []guestfs.File
		facts map[string]guestfs.Document
		want  []string // each is in the error
	}{
		{files: []guestfs.File{file("")}, want: []string{`""`}},
		{files: []guestfs.File{file(".")}, want: []string{`"."`}},
		{files: []guestfs.File{file("/etc/passwd")}, want: []string{"/etc/passwd"}},
		{files: []guestfs.File{file("a/../../b")}, want: []string{"a/../../b"}},
		{files: []guestfs.File{file("a//b"), file("a/"), file("./a")}, want: []string{`"a//b"`, `"a/"`, `"./a"`}},
		{files: []guestfs.File{file("nul\x00")}, want: []string{`nul\x00`}},
		{files: []guestfs.File{file("d/" + long)}, want: []string{"at most 255 bytes"}},
		{files: []guestfs.File{file(strings.Repeat("d/", guestfs.MaxPath/2) + "x")}, want: []string{"at most 4096 bytes"}},
		{files: []guestfs.File{file("a"), file("a")}, want: []string{`"a"`, "as a file"}},
		{files: []guestfs.File{file("a"), file("a/b")}, want: []string{`"a/b"`, "cannot be a directory"}},
		{files: []guestfs.File{file("a/b"), file("a")}, want: []string{`"a"`, "as a directory"}},
		{files: []guestfs.File{file("host/cpu")}, want: []string{"host/cpu", "rename"}},
		{files: []guestfs.File{file("dev")}, want: []string{`"dev"`, "rename"}},
		{facts: map[string]guestfs.Document{"a/b": fact("")}, want: []string{`"a/b"`}},
	} {
		_, err := guestfs.NewRoot(guestfs.Config{Files: row.files, Access: access("/**"), Host: row.facts})
		if err == nil {
			t.Errorf("%v %v: no error", row.files, row.facts)
			continue
		}
		for _, want := range row.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("error %q; want %q in it", err, want)
			}
		}
	}
}

func TestStat(t *testing.T) {
	t.Parallel()
	m := mount(t)
	inodes := map[uint64]string{}
	for path, want := range map[string]struct {
		mode  fs.FileMode
		nlink uint64
		size  int64
	}{
		"/":                   {fs.ModeDir | 0o555, 4, 0},
		"module.json":         {0o444, 1, int64(len("content of module.json"))},
		"scripts":             {fs.ModeDir | 0o555, 3, 0},
		"scripts/deep/er/x":   {0o444, 1, int64(len("content of scripts/deep/er/x"))},
		"scripts/deep":        {fs.ModeDir | 0o555, 3, 0},
		"scripts/deep/er":     {fs.ModeDir | 0o555, 2, 0},
		"Case":                {0o444, 1, int64(len("content of Case"))},
		"case":                {0o444, 1, int64(len("content of case"))},
		"host":                {fs.ModeDir | 0o555, 2, 0},
		"host/memory":         {0o444, 1, 0},
		"scripts/../host/cpu": {0o444, 1, 0},
	} {
		st, errno := m.Stat(path)
		if errno != 0 || st.Mode != want.mode || st.Nlink != want.nlink || st.Size != want.size || st.Dev == 0 {
			t.Errorf("%s: %+v, %v; want %+v", path, st, errno, want)
		}
		if fact := strings.Contains(path, "host/"); !fact && path != "host" && (st.Mtim != newYear.UnixNano() || st.Ctim != st.Mtim || st.Atim != st.Mtim) {
			t.Errorf("%s: modified at %v; want %v", path, time.Unix(0, st.Mtim), newYear)
		}
		if other, taken := inodes[st.Ino]; taken || st.Ino == 0 {
			t.Errorf("%s: inode %d is that of %q", path, st.Ino, other)
		}
		inodes[st.Ino] = path
		if again, _ := mount(t).Stat(path); again.Ino != st.Ino {
			t.Errorf("%s: inode %d, in another run %d", path, st.Ino, again.Ino)
		}
	}
}

func TestTimesThatNoNumberSays(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{{}, time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		root, err := guestfs.NewRoot(guestfs.Config{Files: []guestfs.File{{Name: "a", ModTime: at}}})
		if err != nil {
			t.Fatal(err)
		}
		if st, _ := root.Mount(guestfs.Run{Alive: func() {}}).Stat("a"); st.Mtim != 0 {
			t.Errorf("%v: modified at %d; want 0", at, st.Mtim)
		}
	}
}

func BenchmarkNewRoot(b *testing.B) {
	for _, n := range []int{1, 1000} {
		files := make([]guestfs.File, n)
		for i := range files {
			files[i] = file(fmt.Sprintf("directory%d/file%d", i%10, i))
		}
		b.Run(fmt.Sprintf("files=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := guestfs.NewRoot(guestfs.Config{Files: files}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
