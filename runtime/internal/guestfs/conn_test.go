package guestfs_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/errno"
	"github.com/wasmagent/wasmagent/runtime/internal/guestfs"
)

// TestConnectionsGiveUpFirst has a server that says and takes nothing: what waits for
// it ends before the run does.
func TestConnectionsGiveUpFirst(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	root, err := guestfs.NewRoot(guestfs.Config{Access: access("/dev/*/127.0.0.1/*", "/dev/tls/127.0.0.1/*/peer")})
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Replace(listener.Addr().String(), ":", "/", 1)
	for name, wait := range map[string]func(*guestfs.Mount) sys.Errno{
		"read": func(m *guestfs.Mount) sys.Errno {
			_, e := connection(t, m, "/dev/tcp/"+at).Read(make([]byte, 1))
			return e
		},
		"write": func(m *guestfs.Mount) (e sys.Errno) {
			for c := connection(t, m, "/dev/tcp/"+at); e == 0; {
				_, e = c.Write(make([]byte, 1<<20))
			}
			return e
		},
		"handshake": func(m *guestfs.Mount) sys.Errno {
			_, e := m.OpenFile("/dev/tls/"+at, sys.O_RDWR, 0)
			return e
		},
		"peer": func(m *guestfs.Mount) sys.Errno {
			_, e := m.OpenFile("/dev/tls/"+at+"/peer", sys.O_RDONLY, 0)
			return e
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			m := root.Mount(guestfs.Run{Context: ctx, Alive: func() {}, OpenFiles: 1})
			defer m.Close()
			if e := wait(m); e != errno.ETIMEDOUT || ctx.Err() != nil {
				t.Errorf("%s, the run: %v; want ETIMEDOUT while the run lasts", errno.Name(e), ctx.Err())
			}
		})
	}
}

func connection(t *testing.T, m *guestfs.Mount, path string) sys.File {
	t.Helper()
	f, e := m.OpenFile(path, sys.O_RDWR, 0)
	if e != 0 {
		t.Fatal(errno.Name(e))
	}
	t.Cleanup(func() { f.Close() })
	return f
}
