package runtime_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	goruntime "runtime"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// flood is what servers send that send without end.
var flood = make([]byte, 64<<10)

// hostileServers are what a server can do to the guest that has connected.
var hostileServers = map[string]func(net.Conn){
	"never answers":  silent,
	"takes nothing":  func(conn net.Conn) { hold(conn) },
	"closes at once": func(net.Conn) {},
	"is half-open": func(conn net.Conn) {
		conn.(interface{ CloseWrite() error }).CloseWrite()
		silent(conn)
	},
	"dribbles": func(conn net.Conn) {
		for ticks := time.Tick(5 * time.Millisecond); ; <-ticks {
			if _, err := conn.Write(flood[:1]); err != nil {
				return
			}
		}
	},
	"sends without end": func(conn net.Conn) {
		for {
			if _, err := conn.Write(flood); err != nil {
				return
			}
		}
	},
	"resets in the middle": func(conn net.Conn) {
		conn.Write(flood[:100])
		if secured, ok := conn.(*tls.Conn); ok {
			conn = secured.NetConn()
		}
		conn.(*net.TCPConn).SetLinger(0)
	},
}

// hold takes nothing of what the other side sends, until that is gone: then
// sending a byte more is an error.
func hold(conn net.Conn) {
	for range time.Tick(5 * time.Millisecond) {
		if _, err := conn.Write(flood[:1]); err != nil {
			return
		}
	}
}

// hostileHandshakes are what a server can do instead of a handshake.
var hostileHandshakes = map[string]func(net.Conn){
	"never completes it": silent,
	"begins it": func(conn net.Conn) {
		conn.Write([]byte{22, 3, 3, 0x40, 0, 2})
		silent(conn)
	},
	"dribbles it": func(conn net.Conn) {
		for ticks := time.Tick(5 * time.Millisecond); ; <-ticks {
			if _, err := conn.Write([]byte{22, 3, 3, 0x40, 0, 2}[:1]); err != nil {
				return
			}
		}
	},
}

// hostileConnections are what a guest can do with its connection, 4, without end.
var hostileConnections = map[string]func(s *script, server string){
	"reads": func(s *script, _ string) { s.forever("fd_read", 4, s.vector(1000), 1, scriptRoom+2000) },
	"peeks": func(s *script, _ string) {
		s.forever("sock_recv", 4, s.vector(1000), 1, recvPeek, scriptRoom+2000, scriptRoom+2000)
	},
	"writes": func(s *script, _ string) { s.forever("fd_write", 4, s.vector(60<<10), 1, 64) },
	"waits": func(s *script, _ string) {
		s.forever("poll_oneoff", s.place(waiting(onRead, 4, 0)), scriptRoom, 1, scriptRoom+64)
	},
	"opens":          func(s *script, server string) { s.forever("path_open", s.openArgs(server, 0, rightRead|rightWrite)...) },
	"opens its peer": func(s *script, server string) { s.forever("path_open", s.openArgs(server+"/peer", 0, rightRead)...) },
	"writes and closes": func(s *script, server string) {
		s.code = append(s.code, Code(Loop, Void,
			s.invoke("fd_write", 4, s.vector(60<<10), 1, 64), Drop, s.invoke("fd_close", 4), Drop,
			s.invoke("path_open", s.openArgs(server, 0, rightRead|rightWrite)...), Drop, Br, uint32(0), End)...)
	},
}

// TestHostileServers runs every guest against every server, over TCP and TLS, and
// wants the time limit to end each run.
func TestHostileServers(t *testing.T) {
	t.Parallel()
	e := newEngine(t, runtime.Config{Interpret: true})
	secured, roots := certified(t)
	for name, handle := range hostileServers {
		besiege(t, e, "tcp", name, handle, roots)
		besiege(t, e, "tls", name, func(conn net.Conn) {
			inner := tls.Server(conn, secured)
			if inner.Handshake() == nil {
				handle(inner)
			}
		}, roots)
	}
	for name, handle := range hostileHandshakes {
		besiege(t, e, "tls", name, handle, roots)
	}
}

// certified is the configuration of a server on 127.0.0.1, and who vouches for it.
func certified(t testing.TB) (*tls.Config, *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, roots
}

// besiege runs every guest against one server.
func besiege(t *testing.T, e *runtime.Engine, network, name string, handle func(net.Conn), roots *x509.CertPool) {
	for what, attack := range hostileConnections {
		t.Run(network+" "+name+"/"+what, func(t *testing.T) {
			t.Parallel()
			r := newReach(t, e, handle, func(c *runtime.RootConfig) { c.Dialer.Roots = roots })
			s := new(script)
			s.pages = 3
			server := "dev/" + network + r.server[len("dev/tcp"):]
			attack(s.open(server, 0, rightRead|rightWrite), server)
			p := program(t, e, s.wasm())
			defer p.Close()
			limits := policy.Limits{Time: 50 * time.Millisecond, OpenFiles: 8}
			out, err := p.Run(t.Context(), runtime.Guest{Root: r.Root, Limits: limits})
			if !errors.Is(err, context.DeadlineExceeded) || out.Usage.ExitStatus != nil {
				t.Errorf("%v; want the time limit", err)
			}
		})
	}
}

// TestDatagramsWithoutEnd has a peer that floods, and one that is not there.
func TestDatagramsWithoutEnd(t *testing.T) {
	t.Parallel()
	e := newEngine(t, runtime.Config{Interpret: true})
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	flooding := make(chan struct{})
	go func() {
		defer close(flooding)
		_, guest, err := socket.ReadFrom(make([]byte, 64<<10))
		for err == nil {
			_, err = socket.WriteTo(flood[:60<<10], guest)
			err = ignoreRefused(err)
		}
	}()
	t.Cleanup(func() {
		socket.Close()
		<-flooding
	})
	nobody, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	for _, addr := range []net.Addr{socket.LocalAddr(), nobody.LocalAddr()} {
		for what, attack := range hostileConnections {
			r := newReach(t, e, silent, nil)
			server := "dev/udp/127.0.0.1/" + port(addr)
			s := new(script).open(server, 0, rightRead|rightWrite)
			s.pages = 3
			s.call("fd_write", 4, s.vector(1), 1, 64)
			attack(s, server)
			_, err := program(t, e, s.wasm()).Run(t.Context(), runtime.Guest{Root: r.Root, Limits: policy.Limits{Time: 30 * time.Millisecond}})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v, %s: %v; want the time limit", addr, what, err)
			}
		}
	}
}

// ignoreRefused lets a peer go on that is told that nobody listens any more.
func ignoreRefused(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// TestReadAheadIsBounded waits for many servers that send without end, and takes
// nothing. It does not run beside other tests, for it counts what is allocated.
func TestReadAheadIsBounded(t *testing.T) {
	const connections = 60
	e := newEngine(t, runtime.Config{Interpret: true, Log: quiet})
	r := newReach(t, e, hostileServers["sends without end"], nil)
	s := new(script)
	var list bytes.Buffer
	for i := range connections {
		s.open(r.server, 0, rightRead|rightWrite)
		list.WriteString(waiting(onRead, uint32(4+i), 0))
	}
	in, out := s.place(list.String()), s.place(string(make([]byte, connections*32)))
	for range 50 {
		s.call("poll_oneoff", in, out, connections, scriptRoom)
	}
	p := program(t, e, s.wasm())
	allocated := func() uint64 {
		var stats goruntime.MemStats
		goruntime.ReadMemStats(&stats)
		return stats.TotalAlloc
	}
	before := allocated()
	result, err := p.Run(t.Context(), r.guest(policy.Limits{}))
	grown := allocated() - before
	if want := make([]uint32, connections+50); err != nil || !slices.Equal(errnos(t, result), want) {
		t.Errorf("%v, %v; want no errno", errnos(t, result), err)
	}
	// Of each connection 16 KiB are read, once; and a poll takes 4 KiB.
	if grown > 8<<20 {
		t.Errorf("%d KiB were allocated", grown>>10)
	}
}

// TestHandedOver opens a connection, puts it in the place of another, and speaks
// through that.
func TestHandedOver(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{}, 2)
	for engine, e := range engines(t) {
		r := newReach(t, e, func(conn net.Conn) {
			io.Copy(conn, conn)
			closed <- struct{}{}
		}, nil)
		s := new(script).open(r.server, 0, rightRead|rightWrite).open(r.server, 0, rightRead|rightWrite)
		hello := s.place("hello")
		v := s.place(string([]byte{byte(hello), byte(hello >> 8), 0, 0, 5, 0, 0, 0}))
		s.call("fd_renumber", 4, 5).call("fd_write", 5, v, 1, 64).call("sock_shutdown", 5, 2).call("sock_recv", 5, s.vector(5), 1, recvPeek, 64, 68)
		s.call("fd_read", 5, s.vector(5), 1, 64).dump(scriptRoom, 5)
		out, err := program(t, e, s.wasm()).Run(t.Context(), r.guest(policy.Limits{}))
		if len(out.Stdout) != 7*4+5 || string(out.Stdout[28:]) != "hello" || err != nil {
			t.Errorf("%s: %q, %v", engine, out.Stdout, err)
		}
		<-closed
		<-closed
	}
}

// FuzzPoll waits for whatever is in memory, from connections and files, with any
// pointers and count. The run ends by itself or by its time limit.
func FuzzPoll(f *testing.F) {
	e, err := runtime.NewEngine(runtime.Config{Interpret: true, Log: quiet})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { e.Close() })
	r := newReach(f, e, func(conn net.Conn) {
		conn.Write([]byte("hello"))
		silent(conn)
	}, nil)
	for _, kind := range []byte{onClock, onRead, onWrite, 3} {
		for _, fd := range []uint32{0, 3, 4, 5, 6, 99, 0xffffffff} {
			f.Add([]byte(waiting(kind, fd, 1)+waiting(onClock, 0, 1)), int32(scriptText), int32(scriptRoom), int32(2), int32(scriptRoom+512))
		}
	}
	f.Add([]byte(waiting(onClock, 0, 1<<63)), int32(scriptText), int32(scriptText), int32(1), int32(scriptText))
	f.Add([]byte(waiting(onRead, 4, 0)), int32(-48), int32(-32), int32(1), int32(-4))
	f.Add([]byte{}, int32(0), int32(0), int32(1365), int32(-1))
	f.Fuzz(func(t *testing.T, memory []byte, in, out, count, result int32) {
		memory = memory[:min(len(memory), 32<<10)]
		s := new(script)
		s.place(string(memory))
		s.open(r.server, 0, rightRead|rightWrite).open("module.json", 0, rightRead).open("files/logs", oDirectory, rightRead).open("command/status", 0, rightRead|rightWrite)
		s.call("poll_oneoff", int(in), int(out), int(count), int(result))
		p, err := e.Program(t.Context(), "fuzz", s.wasm(), policy.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		guest := runtime.Guest{Root: r.Root, Limits: policy.Limits{Time: 20 * time.Millisecond}}
		if _, err := p.Run(t.Context(), guest); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
