package agent_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	goruntime "runtime"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
)

// Where a reacher keeps things in its memory: the iovec for reading, room for what
// is read, results and text.
const (
	readVector, printVector, result, room, text = 0, 8, 16, 64, 1024
)

// A reacher assembles a program that calls WASI, adds up the errnos, and prints what
// it has read last.
type reacher struct {
	text []byte
	code []byte
}

// The functions that it imports.
var reacherImports = []Import{
	{Module: Preview1, Name: "path_open", Type: Signature{Params: []Op{I32, I32, I32, I32, I32, I64, I64, I32, I32}, Results: []Op{I32}}},
	{Module: Preview1, Name: "fd_write", Type: Signature{Params: []Op{I32, I32, I32, I32}, Results: []Op{I32}}},
	{Module: Preview1, Name: "fd_read", Type: Signature{Params: []Op{I32, I32, I32, I32}, Results: []Op{I32}}},
	{Module: Preview1, Name: "proc_exit", Type: Signature{Params: []Op{I32}}},
}

const pathOpen, fdWrite, fdRead, procExit = uint32(0), uint32(1), uint32(2), uint32(3)

func (r *reacher) place(s string) int {
	r.text = append(r.text, s...)
	return text + len(r.text) - len(s)
}

// add puts a call's errno to the others, which are local 0.
func (r *reacher) add(call []byte) *reacher {
	r.code = append(r.code, Code(LocalGet, uint32(0), call, I32Add, LocalSet, uint32(0))...)
	return r
}

// open opens a path for reading and writing, or else for reading.
func (r *reacher) open(path string, creates, writes bool) *reacher {
	oflags, rights, fdflags := 0, 2, 0
	if writes {
		rights |= 64
	}
	if creates {
		oflags, fdflags = 1, 1 // to append to it
	}
	return r.add(Code(I32Const, 3, I32Const, 0, I32Const, r.place(path), I32Const, len(path), I32Const, oflags,
		I64Const, rights, I64Const, 0, I32Const, fdflags, I32Const, result, Call, pathOpen))
}

func (r *reacher) write(fd int, s string) *reacher {
	at := r.place(s)
	r.code = append(r.code, Code(I32Const, printVector, I32Const, at, I32Store, uint32(2), uint32(0), I32Const, printVector, I32Const, len(s), I32Store, uint32(2), uint32(4))...)
	return r.add(Code(I32Const, fd, I32Const, printVector, I32Const, 1, I32Const, result, Call, fdWrite))
}

// read reads once, and prints that with a newline.
func (r *reacher) read(fd int) *reacher {
	r.code = append(r.code, Code(I32Const, readVector, I32Const, room, I32Store, uint32(2), uint32(0), I32Const, readVector, I32Const, 512, I32Store, uint32(2), uint32(4))...)
	r.add(Code(I32Const, fd, I32Const, readVector, I32Const, 1, I32Const, result, Call, fdRead))
	r.code = append(r.code, Code(I32Const, readVector, I32Const, result, I32Load, uint32(2), uint32(0), I32Store, uint32(2), uint32(4))...)
	return r.add(Code(I32Const, 1, I32Const, readVector, I32Const, 1, I32Const, result, Call, fdWrite)).write(1, "\n")
}

// wasm ends with the sum of the errnos as the status.
func (r *reacher) wasm() string {
	m := Command(reacherImports, Code(r.code, LocalGet, uint32(0), Call, procExit), Data{Offset: text, Bytes: r.text})
	m.Funcs[0].Locals = []Op{I32}
	return string(m.Bytes())
}

// echo answers whatever it is sent, once.
func echo(t *testing.T) (port string, wait func()) {
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
				io.Copy(conn, conn)
			})
		}
	})
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, func() {
		l.Close()
		serving.Wait()
	}
}

// reaching is an agent whose modules reach everything, each in so many runs at one
// time and for so long.
func reaching(t *testing.T, runs int, limit time.Duration) (a *agent.Agent, dir string) {
	t.Helper()
	engine, err := runtime.NewEngine(runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	dir = t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "logs"), 0o700), os.Mkdir(filepath.Join(dir, "state"), 0o700), os.WriteFile(filepath.Join(dir, "logs", "a.log"), []byte("line"), 0o600)); err != nil {
		t.Fatal(err)
	}
	document := func(text string) runtime.Document {
		return func(context.Context) ([]byte, error) { return []byte(text), nil }
	}
	scripts, err := providers.New(providers.Config{
		Engine: engine, StateDir: filepath.Join(dir, "state"), Facts: map[string]runtime.Document{"memory": document("memory")}})
	if err != nil {
		t.Fatal(err)
	}
	settings := agent.Settings{Grant: providers.Grant{
		Env:    map[string]runtime.Document{"TOKEN": document("token")},
		Files:  map[string]providers.Files{"logs": {Path: filepath.Join(dir, "logs")}, "spool": {Path: filepath.Join(dir, "logs"), Writable: true}},
		Limits: policy.Limits{Runs: runs, Memory: policy.MiB, Time: limit, State: policy.Bytes(runs), StateFiles: 1},
	}}
	for _, p := range everyMount {
		settings.Allow = append(settings.Allow, policy.Grant{Pattern: p})
	}
	a = newAgent(t, func(c *agent.Config) {
		c.Providers, c.Runs = scripts, runs
		c.Grants = func(string) agent.Settings { return settings }
	})
	return a, dir
}

var everyMount = []string{"/state/**", "/files/**", "/dev/tcp/127.0.0.1/*", "/command/*", "/env/*", "/host/*"}

// TestAThousandRunsReachEverything runs a thousand checks at the same time, each of
// which uses every mount, and wants each to see what it is to see, and nothing to be
// left behind. It does not run beside other tests, for it counts what the process has.
func TestAThousandRunsReachEverything(t *testing.T) {
	const runs = 1000
	before := held()
	t.Run("runs", func(t *testing.T) {
		port, wait := echo(t)
		defer wait()
		a, dir := reaching(t, runs, time.Minute)
		program := new(reacher).open("state/shared", true, true).write(4, "x").open("files/logs/a.log", false, false).read(5)
		program.open("dev/tcp/127.0.0.1/"+port, false, true).write(6, "ping").read(6).open("command/peer", false, true).write(7, "one\ntwo\n").read(7)
		program.open("env/TOKEN", false, false).read(8).open("host/memory", false, false).read(9)
		load(t, a,
			readModule(t, "peer.zip", manifest{Scripts: []any{"peer.wasm"}}, map[string]string{"peer.wasm": says("OK peer")}),
			readModule(t, "web.zip", manifest{Scripts: []any{"reach.wasm"}, Permissions: everyMount}, map[string]string{"reach.wasm": program.wasm()}))
		var group sync.WaitGroup
		for range runs {
			group.Go(func() {
				r, err := a.Run(t.Context(), check.Request{Command: "reach"})
				got := r.Text + "\n" + r.Long
				if err != nil || r.State != check.StateOK || !strings.HasPrefix(got, "line\nping\n{") || !strings.Contains(got, "OK peer") || !strings.HasSuffix(got, "token\nmemory") {
					t.Errorf("%v %q, %v", r.State, got, err)
				}
			})
		}
		group.Wait()
		shared, err := os.ReadFile(filepath.Join(dir, "state", "web", "shared"))
		if err != nil || string(shared) != strings.Repeat("x", runs) {
			t.Errorf("the state holds %d bytes, %v; want one of each run", len(shared), err)
		}
		if r, err := a.Run(t.Context(), check.Request{Command: "reach"}); err != nil || r.Usage.ExitStatus == nil || *r.Usage.ExitStatus != 19 {
			t.Errorf("a byte over the quota: %+v, %v; want EDQUOT, 19", r, err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for after := held(); after.goroutines > before.goroutines || after.descriptors > before.descriptors; after = held() {
		if ctx.Err() != nil {
			t.Fatalf("held before %+v, after %+v", before, after)
		}
		goruntime.Gosched()
	}
}

// A holding is what the process has of the system, as far as that says so.
type holding struct{ goroutines, descriptors int }

func held() holding {
	goruntime.GC()
	descriptors, _ := os.ReadDir("/proc/self/fd")
	return holding{goruntime.NumGoroutine(), len(descriptors)}
}

// TestReadersStayReaders has one module write a directory that another may only
// read, at the same time and under another name.
func TestReadersStayReaders(t *testing.T) {
	t.Parallel()
	a, dir := reaching(t, 10, time.Minute)
	load(t, a,
		readModule(t, "reader.zip", manifest{Scripts: []any{"reader.wasm"}, Permissions: everyMount},
			map[string]string{"reader.wasm": new(reacher).open("files/logs/new", true, true).wasm()}),
		readModule(t, "writer.zip", manifest{Scripts: []any{"writer.wasm"}, Permissions: everyMount},
			map[string]string{"writer.wasm": new(reacher).open("files/spool/b.log", true, true).open("command/reader", false, true).read(5).wasm()}))
	r, err := a.Run(t.Context(), check.Request{Command: "writer"})
	if err != nil || !strings.Contains(r.Text, `"exit_status":69`) {
		t.Errorf("%+v, %v; want the reader to see EROFS, 69", r, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "logs", "new")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the reader has written: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "logs", "b.log")); err != nil {
		t.Errorf("the writer has not written: %v", err)
	}
}

// TestHostileServersMakeUnknown waits for a server that never answers, until the time
// limit ends the run.
func TestHostileServersMakeUnknown(t *testing.T) {
	t.Parallel()
	port, wait := echo(t)
	defer wait()
	a, _ := reaching(t, 10, 100*time.Millisecond)
	waits := new(reacher).open("dev/tcp/127.0.0.1/"+port, false, true)
	waits.code = append(waits.code, Code(Loop, Void)...)
	waits.read(4)
	waits.code = append(waits.code, Code(Br, uint32(0), End)...)
	load(t, a, readModule(t, "web.zip", manifest{Scripts: []any{"waits.wasm"}, Permissions: everyMount}, map[string]string{"waits.wasm": waits.wasm()}))
	r, err := a.Run(t.Context(), check.Request{Command: "waits"})
	if err != nil || r.State != check.StateUnknown || !strings.Contains(r.Text, "100ms, its time limit") {
		t.Errorf("%+v, %v; want UNKNOWN with the reason", r, err)
	}
}
