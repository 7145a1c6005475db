package guestfs_test

import (
	"context"
	"testing"

	experimental "github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/guestfs"
)

// TestAnswersAreBounded has answers that are too large together with what is open.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	half := func(context.Context, []string) []byte { return make([]byte, guestfs.MaxDocuments/2) }
	root, err := guestfs.NewRoot(guestfs.Config{
		Access:   both("/host/half"),
		Host:     map[string]guestfs.Document{"half": func(context.Context) ([]byte, error) { return half(nil, nil), nil }},
		Commands: func(string) (guestfs.Command, bool) { return half, true },
	})
	if err != nil {
		t.Fatal(err)
	}
	m := root.Mount(guestfs.Run{Context: t.Context(), Alive: func() {}, OpenFiles: 10})
	ask := func() (experimental.File, experimental.Errno) {
		t.Helper()
		f, errno := m.OpenFile("command/mine", experimental.O_RDWR, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
		_, errno = f.Read(make([]byte, 1))
		return f, errno
	}
	document, errno := m.OpenFile("host/half", 0, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	first, errno := ask()
	if errno != 0 {
		t.Fatal(errno)
	}
	if second, errno := ask(); errno != experimental.EIO || second.Close() != 0 {
		t.Errorf("an answer over the limit: %v; want EIO", errno)
	}
	for range 2 {
		first.Close()
	}
	if _, errno := ask(); errno != 0 {
		t.Errorf("after one was closed: %v", errno)
	}
	if _, errno := ask(); errno != experimental.EIO {
		t.Errorf("over the limit again: %v; want EIO", errno)
	}
	document.Close()
	if _, errno := m.OpenFile("host/half", 0, 0); errno != 0 {
		t.Errorf("a document in the place of another: %v", errno)
	}
}

// TestCommandRunsOnce reads an answer in every way, and wants one run.
func TestCommandRunsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visit(t, both())
	f, errno := v.OpenFile("command/mine", experimental.O_RDWR, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	f.Pwrite([]byte("a\nb"), 1<<40)
	f.Truncate(1 << 40)
	for range 3 {
		f.Pread(make([]byte, 3), 0)
	}
	if got := content(f); got != `["mine","a","b"]` || w.used.Load() != 1 {
		t.Errorf("answered %q, ran %d times", got, w.used.Load())
	}
	if f.Close(); second(f.Read(make([]byte, 1))) != experimental.EBADF {
		t.Error("a closed command can be read")
	}
}
