package runtime_test

import (
	"context"
	"encoding/binary"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// More errnos of WASI preview 1, and the flag of sock_recv that leaves what it reads.
const (
	eFAULT  = 21
	eNOTSUP = 58
	eSPIPE  = 70
	eXDEV   = 75

	recvPeek = 1
)

// A reach is a root from which everything can be reached, with a server.
type reach struct {
	*runtime.Root
	dir    string // of the host
	server string // its path: dev/tcp/127.0.0.1/PORT
	tried  []runtime.Attempt
}

// reached are the files of a reach's host.
var reached = map[string]string{"logs/a.log": "line", "state/kept": "kept", "secret": "secret"}

// newReach has a server that does with each connection what handle does.
func newReach(t testing.TB, e *runtime.Engine, handle func(net.Conn), change func(*runtime.RootConfig)) *reach {
	t.Helper()
	r := &reach{dir: t.TempDir(), server: "dev/tcp/127.0.0.1/" + port(serve(t, handle))}
	for name, content := range reached {
		at := filepath.Join(r.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	patterns := policy.Patterns{"/dev/*/127.0.0.1/*", "/files/**", "/state/**", "/env/*", "/command/*"}
	c := runtime.RootConfig{
		Files: []runtime.File{{Name: "module.json", Data: []byte("{}")}},
		Env:   map[string]runtime.Document{"TOKEN": func(context.Context) ([]byte, error) { return []byte("token"), nil }},
		Directories: map[string]runtime.Directory{
			"/files/logs": e.Directory(filepath.Join(r.dir, "logs"), runtime.DirectoryOptions{}),
			"/state":      e.Directory(filepath.Join(r.dir, "state"), runtime.DirectoryOptions{Writable: true, Quota: &runtime.Quota{Bytes: 1000, Files: 10}}),
		},
		Commands: func(string) (runtime.Command, bool) {
			return func(context.Context, []string) []byte { return []byte("answer") }, false
		},
		Access: policy.Access{Asked: patterns},
	}
	for _, p := range patterns {
		c.Access.Granted = append(c.Access.Granted, policy.Grant{Pattern: p})
	}
	if change != nil {
		change(&c)
	}
	var err error
	if r.Root, err = runtime.NewRoot(c); err != nil {
		t.Fatal(err)
	}
	return r
}

// guest is a run in the reach.
func (r *reach) guest(limits policy.Limits) runtime.Guest {
	return runtime.Guest{Root: r.Root, Limits: limits, Observe: func(a runtime.Attempt) { r.tried = append(r.tried, a) }}
}

// serve accepts connections until the end of the test, and then waits for each.
func serve(t testing.TB, handle func(net.Conn)) net.Addr {
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
			serving.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return l.Addr()
}

func port(addr net.Addr) string {
	_, port, _ := net.SplitHostPort(addr.String())
	return port
}

// silent says nothing until the other side closes.
func silent(conn net.Conn) { io.Copy(io.Discard, conn) }

// at opens a path from a descriptor.
func (s *script) at(fd int, path string, oflags int, rights int64) *script {
	return s.call("path_open", fd, 1, path, oflags, rights, int64(0), 0, scriptRoom)
}

// vector places an iovec over scriptRoom.
func (s *script) vector(length int) int {
	return s.place(string(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, scriptRoom), uint32(length))))
}

// waiting is a subscription to a descriptor, or to a clock of so many nanoseconds.
func waiting(kind byte, descriptor uint32, nanoseconds uint64) string {
	record := make([]byte, 48)
	record[0], record[8] = kind+1, kind // the userdata tells which
	if binary.LittleEndian.PutUint32(record[16:], descriptor); kind == onClock {
		binary.LittleEndian.PutUint64(record[24:], nanoseconds)
	}
	return string(record)
}

// The kinds of a subscription.
const onClock, onRead, onWrite = 0, 1, 2

// TestDescriptorsOfMounts mixes the descriptors of files, directories, connections
// and commands up.
func TestDescriptorsOfMounts(t *testing.T) {
	t.Parallel()
	rw := rightRead | rightWrite
	// The descriptors that each script begins with.
	const file, dir, state, conn, call, value, other = 4, 5, 6, 7, 8, 9, 10
	for name, row := range map[string]struct {
		script func(s *script)
		want   []uint32
	}{
		"paths from a directory": {func(s *script) {
			s.at(dir, "a.log", 0, rightRead).at(dir, "../state/kept", 0, rightRead).at(dir, "/etc/passwd", 0, rightRead).at(dir, "x/../../../secret", 0, rightRead)
			s.at(dir, "..", oDirectory, rightRead).at(dir, "", 0, rightRead).at(dir, "a.log/", 0, rightRead).at(dir, "a.log/..", 0, rightRead).at(dir, "a\x00", 0, rightRead)
			s.at(dir, `..\secret`, 0, rightRead).at(dir, "../secret", oCreat, rw).at(dir, "new", oCreat, rw).at(dir, "a.log", oTrunc, rightRead).at(dir, "a.log", oTrunc|oDirectory, rw)
		}, []uint32{0, ePERM, ePERM, ePERM, ePERM, eINVAL, eNOTDIR, 0, eINVAL, eINVAL, ePERM, eROFS, eROFS, eROFS}},
		"paths from what is no directory": {func(s *script) {
			for _, fd := range []int{file, conn, call, value, 0, 99, -1, 0x7fffffff} {
				s.at(fd, "a.log", 0, rightRead)
			}
		}, []uint32{eNOTDIR, eNOTDIR, eNOTDIR, eNOTDIR, eNOTDIR, eBADF, eBADF, eBADF}},
		"names across mounts": {func(s *script) {
			s.call("path_rename", dir, "a.log", state, "stolen").call("path_rename", state, "kept", dir, "a.log").call("path_rename", 3, "module.json", state, "x")
			s.call("path_link", dir, 0, "a.log", state, "stolen").call("path_link", state, 0, "kept", state, "twin").call("path_symlink", "../secret", state, "out")
			s.call("path_rename", state, "kept", 3, "env/TOKEN").call("path_rename", state, "../secret", state, "x").call("path_create_directory", dir, "new")
			s.call("path_rename", state, "kept", state, "../logs/x").call("path_rename", 3, "state", 3, "files/x").call("path_remove_directory", 3, "state")
		}, []uint32{eXDEV, eXDEV, eXDEV, eXDEV, ePERM, ePERM, eXDEV, ePERM, eROFS, ePERM, eNOENT, ePERM}},
		"sockets that are none": {func(s *script) {
			v := s.vector(8)
			for _, fd := range []int{file, dir, call, value, 1, 3, 99} {
				s.call("sock_recv", fd, v, 1, 0, scriptRoom, scriptRoom).call("sock_send", fd, v, 1, 0, scriptRoom).call("sock_shutdown", fd, 1)
			}
			s.call("sock_accept", conn, 0, scriptRoom).call("sock_accept", 3, 0, scriptRoom)
		}, slices.Repeat([]uint32{eBADF}, 23)},
		"files that are none": {func(s *script) {
			v := s.vector(8)
			s.call("fd_pread", conn, v, 1, int64(0), scriptRoom).call("fd_pwrite", conn, v, 1, int64(0), scriptRoom).call("fd_seek", conn, int64(0), 1, scriptRoom)
			s.call("fd_tell", conn, scriptRoom).call("fd_filestat_set_size", conn, int64(9)).call("fd_allocate", conn, int64(0), int64(9))
			s.call("fd_readdir", conn, scriptRoom, 100, int64(0), scriptText).call("fd_filestat_set_times", conn, int64(0), int64(0), 5).call("fd_sync", conn)
			s.call("fd_readdir", file, scriptRoom, 100, int64(0), scriptText).call("fd_read", dir, v, 1, scriptRoom).call("fd_write", dir, v, 1, scriptRoom)
		}, []uint32{eSPIPE, eSPIPE, eSPIPE, eSPIPE, eINVAL, eINVAL, eBADF, eROFS, 0, eBADF, eISDIR, eISDIR}},
		"absurd sizes": {func(s *script) {
			v := s.vector(-1)
			s.call("fd_allocate", file, int64(-1), int64(5)).call("fd_filestat_set_size", file, int64(-1)).call("fd_filestat_set_size", file, int64(1<<62))
			s.call("fd_allocate", file, int64(1<<62), int64(1<<62)).call("fd_pwrite", file, s.vector(1), 1, int64(-1), scriptRoom)
			s.call("fd_pwrite", file, s.vector(1), 1, int64(1<<62), scriptRoom).call("fd_seek", file, int64(-1), 0, scriptRoom)
			s.call("fd_read", file, v, 1, scriptRoom).call("fd_write", file, v, 1, scriptRoom).call("sock_recv", conn, v, 1, recvPeek, scriptRoom, scriptRoom)
			s.call("sock_send", conn, v, 1, 0, scriptRoom).call("sock_recv", conn, -8, 2, 0, scriptRoom, scriptRoom).call("sock_shutdown", conn, 4)
			s.call("sock_send", conn, s.vector(1), 1, 1, scriptRoom).call("fd_write", call, v, 1, scriptRoom)
		}, []uint32{0, eINVAL, eDQUOT, eINVAL, eINVAL, eDQUOT, eINVAL, eFAULT, eFAULT, eINVAL, eFAULT, eFAULT, eINVAL, eNOTSUP, eFAULT}},
		"listings": {func(s *script) {
			for _, cookie := range []int64{99, -1, 1 << 62, 2} {
				s.call("fd_readdir", dir, scriptRoom, 100, cookie, scriptText)
			}
			for _, size := range []int{-1, 0x7fffffff, 1<<20 + 1, 23, 0} {
				s.call("fd_readdir", dir, scriptRoom, size, int64(0), scriptText)
			}
			s.call("fd_readdir", dir, -50, 100, int64(0), scriptText).call("fd_readdir", dir, scriptRoom, 100, int64(0), -2)
		}, []uint32{eNOENT, eNOENT, eNOENT, eNOENT, eINVAL, eINVAL, eINVAL, eINVAL, eINVAL, eFAULT, eFAULT}},
		"renumbers": {func(s *script) {
			s.call("fd_renumber", conn, other).call("fd_close", conn).call("sock_shutdown", other, 2).call("fd_close", other).call("fd_close", other)
			s.call("fd_renumber", dir, state).at(state, "a.log", 0, rightRead).at(state, "kept", 0, rightRead)
			s.call("fd_renumber", file, 3).call("fd_renumber", 3, file).call("fd_renumber", call, 1).call("fd_close", 3).at(3, "module.json", 0, rightRead)
		}, []uint32{0, eBADF, 0, 0, eBADF, 0, 0, eNOENT, eNOTSUP, eNOTSUP, eNOTSUP, 0, eBADF}},
		"waits in absurd places": {func(s *script) {
			one := s.place(waiting(onClock, 0, 1))
			s.call("poll_oneoff", -48, scriptRoom, 1, scriptRoom+64).call("poll_oneoff", one, -32, 1, scriptRoom).call("poll_oneoff", one, scriptRoom, 1, -3)
			s.call("poll_oneoff", one, -1, 1, scriptRoom).call("poll_oneoff", one, scriptRoom, -1, scriptRoom).call("poll_oneoff", one, scriptRoom, 1<<28, scriptRoom)
			s.call("poll_oneoff", one, scriptRoom, 0, scriptRoom)
			s.call("poll_oneoff", s.place(waiting(3, 0, 0)), scriptRoom, 1, scriptRoom+64).call("poll_oneoff", one, one, 1, one)
		}, []uint32{eFAULT, eFAULT, eFAULT, eFAULT, eINVAL, eINVAL, eINVAL, eINVAL, 0}},
	} {
		for engine, e := range engines(t) {
			r := newReach(t, e, silent, nil)
			s := new(script).open("state/kept", 0, rw).open("files/logs", oDirectory, rightRead).open("state", oDirectory, rightRead)
			s.open(r.server, 0, rw).open("command/status", 0, rw).open("env/TOKEN", 0, rightRead).open(r.server, 0, rw)
			row.script(s)
			out, err := program(t, e, s.wasm()).Run(t.Context(), r.guest(policy.Limits{}))
			got := errnos(t, runtime.Output{Stdout: out.Stdout[:len(out.Stdout)/4*4]})
			if err != nil || len(got) < 7 || !slices.Equal(got[7:], row.want) {
				t.Errorf("%s, %s: %v, %v; want %v", name, engine, got, err, row.want)
			}
			r.unchanged(t)
		}
	}
}

const eDQUOT = 19

// unchanged wants the host to hold what it did.
func (r *reach) unchanged(t *testing.T) {
	t.Helper()
	got := map[string]string{}
	for _, dir := range []string{"", "logs", "state"} {
		entries, err := os.ReadDir(filepath.Join(r.dir, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() {
				continue
			}
			content, _ := os.ReadFile(filepath.Join(r.dir, dir, e.Name()))
			got[strings.TrimPrefix(dir+"/"+e.Name(), "/")] = string(content)
		}
	}
	if !maps.Equal(got, reached) {
		t.Errorf("the host holds %q", got)
	}
}

// TestWaitsForWhatIsClosed polls descriptors that are closed, never were, or are
// none of a connection.
func TestWaitsForWhatIsClosed(t *testing.T) {
	t.Parallel()
	for engine, e := range engines(t) {
		r := newReach(t, e, silent, nil)
		s := new(script).open(r.server, 0, rightRead|rightWrite).open("module.json", 0, rightRead).call("fd_close", 4)
		list := s.place(waiting(onRead, 4, 0) + waiting(onWrite, 4, 0) + waiting(onRead, 0xffffffff, 0) + waiting(onRead, 5, 0) + waiting(onWrite, 5, 0) + waiting(onRead, 3, 0))
		s.call("poll_oneoff", list, scriptRoom, 6, scriptRoom+512).dump(scriptRoom+512, 4).dump(scriptRoom, 6*32)
		out, err := program(t, e, s.wasm()).Run(t.Context(), r.guest(policy.Limits{}))
		if err != nil || len(out.Stdout) != 20+6*32 {
			t.Fatalf("%s: %q, %v", engine, out.Stdout, err)
		}
		if n := binary.LittleEndian.Uint32(out.Stdout[16:]); n != 6 {
			t.Errorf("%s: %d events", engine, n)
		}
		for i, want := range []uint16{eBADF, eBADF, eBADF, 0, 0, 0} {
			if got := binary.LittleEndian.Uint16(out.Stdout[20+32*i+8:]); got != want {
				t.Errorf("%s: event %d has the errno %d; want %d", engine, i, got, want)
			}
		}
	}
}

// TestManyConnections opens as many as it may and one more, and waits for all of
// them, with a clock.
func TestManyConnections(t *testing.T) {
	t.Parallel()
	const most = 1023
	e := newEngine(t, runtime.Config{Interpret: true})
	accepted := make(chan struct{}, 2*most)
	r := newReach(t, e, func(conn net.Conn) {
		accepted <- struct{}{}
		silent(conn)
	}, nil)
	s := new(script)
	list := ""
	for i := range most {
		s.open(r.server, 0, rightRead|rightWrite)
		list += waiting(onRead, uint32(4+i), 0)
	}
	s.open(r.server, 0, rightRead|rightWrite)
	in := s.place(list + waiting(onClock, 0, 1000))
	out := s.place(strings.Repeat("\x00", 32*(most+1)))
	s.call("poll_oneoff", in, out, most+1, scriptRoom).dump(scriptRoom, 4).dump(out, 4)
	result, err := program(t, e, s.wasm()).Run(t.Context(), r.guest(policy.Limits{OpenFiles: most}))
	got := errnos(t, result)
	if err != nil || len(got) != most+4 || slices.ContainsFunc(got[:most], func(e uint32) bool { return e != 0 }) {
		t.Fatalf("%v, %v", got, err)
	}
	if want := []uint32{eMFILE, 0, 1, onClock + 1}; !slices.Equal(got[most:], want) {
		t.Errorf("one more, the wait, its events: %v; want %v", got[most:], want)
	}
	if len(accepted) != most || len(r.tried) != most+1 {
		t.Errorf("%d connections of %d attempts; want %d", len(accepted), len(r.tried), most)
	}
}

// TestRefusedAtTheDoor wants a call that comes to nothing before the file system sees
// it to be told as it was, and the text of a link not to be.
func TestRefusedAtTheDoor(t *testing.T) {
	t.Parallel()
	e := newEngine(t, runtime.Config{Interpret: true})
	r := newReach(t, e, silent, nil)
	s := new(script).open("/etc/passwd", 0, rightRead).call("path_symlink", "/etc/shadow", 3, "../x").call("path_rename", 3, "/a", 3, "/b")
	if _, err := program(t, e, s.wasm()).Run(t.Context(), r.guest(policy.Limits{})); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range r.tried {
		got = append(got, a.Op+" "+a.Path+" "+a.Errno)
	}
	if want := []string{"open /etc/passwd EPERM", "symlink /x EPERM", "rename /a EPERM", "rename /b EPERM"}; !slices.Equal(got, want) {
		t.Errorf("reported %q; want %q", got, want)
	}
}
