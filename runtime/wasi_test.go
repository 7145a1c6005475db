package runtime_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// newYear is the time of the files in these tests.
var newYear = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// exampleRoot is a small module with one fact granted.
func exampleRoot(t testing.TB) *runtime.Root {
	t.Helper()
	root, err := newRoot([]runtime.File{
		{Name: "module.json", Data: []byte("{}"), ModTime: newYear},
		{Name: "data/one.txt", Data: []byte("the first file"), ModTime: newYear},
		{Name: "data/two.txt", Data: []byte("the second file"), ModTime: newYear},
		{Name: "data/deep/three.txt", Data: []byte("the third file"), ModTime: newYear},
	}, map[string]runtime.Document{
		"memory": func(context.Context) ([]byte, error) { return []byte(`{"total": 1024}`), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// TestErrnos has a script make calls and compares their errnos, in both engines.
func TestErrnos(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 4097)
	rw := rightRead | rightWrite
	for name, row := range map[string]struct {
		script *script
		want   []uint32
	}{
		"reads what is there": {new(script).
			open("module.json", 0, rightRead).open("data/deep/../one.txt", 0, rightRead).open("data", oDirectory, rightRead).open(".", 0, rightRead).
			open("host/memory", 0, rightRead), []uint32{0, 0, 0, 0, 0}},
		"reads above": {new(script).
			open("..", 0, rightRead).open("../secret", 0, rightRead).open("data/../../secret", 0, rightRead), []uint32{ePERM, ePERM, ePERM}},
		"reads the host": {new(script).
			open("/etc/passwd", 0, rightRead).open("etc/passwd", 0, rightRead).open("/proc/self/environ", 0, rightRead).
			open("proc/self/environ", 0, rightRead).open("dev/tcp/127.0.0.1/22", 0, rightRead).open("C:/Windows/win.ini", 0, rightRead),
			[]uint32{ePERM, eNOENT, ePERM, eNOENT, eNOENT, eNOENT}},
		"reads what was not granted": {new(script).open("host/cpu", 0, rightRead).open("host/", oDirectory, rightRead), []uint32{eNOENT, 0}},
		"takes files for directories": {new(script).
			open("module.json/x", 0, rightRead).open("module.json/", 0, rightRead).open("module.json", oDirectory, rightRead),
			[]uint32{eNOTDIR, eNOTDIR, eNOTDIR}},
		"truncates and creates": {new(script).
			open("module.json", oTrunc, rightRead).open("module.json", oCreat, rightRead).open("module.json", oCreat|oExcl, rw).
			open("module.json", 0, rightWrite).open("module.json", 0, rw).open("new", oCreat, rightWrite).open("new", oTrunc, rightWrite).
			open("host/new", oCreat, rw), slices.Repeat([]uint32{eROFS}, 8)},
		"changes the tree": {new(script).
			call("path_create_directory", 3, "new").call("path_remove_directory", 3, "data").call("path_unlink_file", 3, "module.json").
			call("path_rename", 3, "module.json", 3, "x").call("path_link", 3, 0, "module.json", 3, "x").call("path_symlink", "/etc", 3, "x").
			call("path_filestat_set_times", 3, 0, "module.json", int64(0), int64(0), 5), slices.Repeat([]uint32{eROFS}, 7)},
		"changes an open file": {new(script).open("module.json", 0, rightRead).
			call("fd_filestat_set_size", 4, int64(0)).call("fd_allocate", 4, int64(0), int64(1000)).call("fd_filestat_set_times", 4, int64(0), int64(0), 5).
			call("fd_write", 4, scriptVector, 1, scriptRoom).call("fd_pwrite", 4, scriptVector, 1, int64(0), scriptRoom).
			call("fd_sync", 4), []uint32{0, eROFS, eROFS, eROFS, eBADF, eBADF, 0}},
		"links": {new(script).call("path_readlink", 3, "module.json", scriptRoom, 10, scriptRoom+16).
			call("path_readlink", 3, "absent", scriptRoom, 10, scriptRoom+16), []uint32{eINVAL, eNOENT}},
		"gives long paths": {new(script).
			open(long, 0, rightRead).call("path_filestat_get", 3, 0, long, scriptRoom).call("path_create_directory", 3, long).
			call("path_rename", 3, "x", 3, long).call("path_link", 3, 0, long, 3, "x").call("path_symlink", long, 3, "x").
			call("path_unlink_file", 3, long).call("path_remove_directory", 3, long).call("path_readlink", 3, long, scriptRoom, 10, scriptRoom+16).
			call("path_filestat_set_times", 3, 0, long, int64(0), int64(0), 5), slices.Repeat([]uint32{eNAMETOOLONG}, 10)},
		"gives the length of all memory": {new(script).
			call("path_open", 3, 1, 0, -1, 0, rightRead, int64(0), 0, scriptRoom), []uint32{eNAMETOOLONG}},
		"renumbers": {new(script).open("module.json", 0, rightRead).
			call("fd_renumber", 4, 0x7fffffff).call("fd_renumber", 4, -1).call("fd_renumber", 4, 100).call("fd_renumber", 9, 4).
			call("fd_renumber", 4, 4).call("fd_tell", 4, scriptRoom).call("fd_renumber", 8, 8).
			call("fd_renumber", 4, 10).call("fd_tell", 4, scriptRoom).call("fd_tell", 10, scriptRoom),
			[]uint32{0, eBADF, eBADF, eBADF, eBADF, 0, 0, eBADF, 0, eBADF, 0}},
		"waits for too much": {new(script).
			call("poll_oneoff", scriptRoom, scriptRoom, 0x5555556, scriptRoom).call("poll_oneoff", scriptRoom, scriptRoom, 1025, scriptRoom).
			call("poll_oneoff", scriptRoom, scriptRoom, 0, scriptRoom), []uint32{eINVAL, eINVAL, eINVAL}},
		"closes": {new(script).open("module.json", 0, rightRead).call("fd_close", 4).call("fd_close", 4).call("fd_read", 4, scriptVector, 1, scriptRoom).
			call("fd_close", 3).open("module.json", 0, rightRead), []uint32{0, 0, eBADF, eBADF, 0, eBADF}},
		"reads standard input": {new(script).call("fd_read", 0, scriptVector, 1, scriptRoom), []uint32{0}},
		"uses sockets":         {new(script).call("sock_accept", 3, 0, scriptRoom).call("sock_shutdown", 3, 1), []uint32{eBADF, eBADF}},
		"is no file": {new(script).call("fd_seek", 3, int64(0), 0, scriptRoom).call("fd_read", 3, scriptVector, 1, scriptRoom).
			call("fd_readdir", 0, scriptRoom, 100, int64(0), scriptRoom+200), []uint32{eISDIR, eISDIR, eBADF}},
	} {
		for engine, e := range engines(t) {
			out, err := program(t, e, row.script.wasm()).Run(t.Context(), runtime.Guest{Root: exampleRoot(t)})
			if got := errnos(t, out); err != nil || !slices.Equal(got, row.want) {
				t.Errorf("%s, %s: %v, %v; want %v", name, engine, got, err, row.want)
			}
		}
	}
}

// TestOpenFiles opens one more file than is allowed, and again after one is closed.
func TestOpenFiles(t *testing.T) {
	t.Parallel()
	s := new(script)
	want := []uint32{}
	for range 5 {
		s.open("module.json", 0, rightRead)
		want = append(want, 0)
	}
	s.open("module.json", 0, rightRead).open("data", 0, rightRead).open("host/memory", 0, rightRead)
	s.call("fd_close", 6).open("data", 0, rightRead).open("data", 0, rightRead)
	s.call("fd_renumber", 4, 5).open("data", 0, rightRead).open("data", 0, rightRead)
	want = append(want, eMFILE, eMFILE, eMFILE, 0, 0, eMFILE, 0, 0, eMFILE)
	out, err := program(t, newEngine(t, runtime.Config{}), s.wasm()).
		Run(t.Context(), runtime.Guest{Root: exampleRoot(t), Limits: policy.Limits{OpenFiles: 5}})
	if got := errnos(t, out); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

// TestReaddir lists a directory through buffers of every size, as wasi-libc does:
// from the cookie of the last entry that fitted.
func TestReaddir(t *testing.T) {
	t.Parallel()
	e := newEngine(t, runtime.Config{})
	want := []string{".", "..", "deep", "one.txt", "two.txt"}
	for size := 24 + len("one.txt"); size <= 24*6+64; size++ {
		var names []string
		inodes := map[uint64]bool{}
		s := new(script).open("data", oDirectory, rightRead)
		for cookie := range len(want) {
			s.call("fd_readdir", 4, scriptRoom, size, int64(cookie), scriptRoom+1024).dump(scriptRoom+1024, 4).dump(scriptRoom, size)
		}
		out, err := program(t, e, s.wasm()).Run(t.Context(), runtime.Guest{Root: exampleRoot(t)})
		if err != nil {
			t.Fatal(err)
		}
		for rest := out.Stdout[4:]; len(rest) > 0; rest = rest[8+size:] {
			if errno := binary.LittleEndian.Uint32(rest); errno != 0 {
				t.Fatalf("size %d: errno %d", size, errno)
			}
			used := binary.LittleEndian.Uint32(rest[4:])
			entry := rest[8 : 8+used]
			length := binary.LittleEndian.Uint32(entry[16:])
			if next := binary.LittleEndian.Uint64(entry); next != uint64(len(names)+1) {
				t.Fatalf("size %d: entry %d is followed by %d", size, len(names), next)
			}
			inodes[binary.LittleEndian.Uint64(entry[8:])] = true
			names = append(names, string(entry[24:24+length]))
		}
		if !slices.Equal(names, want) || len(inodes) != len(want) {
			t.Fatalf("size %d: %q with inodes %v; want %q", size, names, inodes, want)
		}
	}
}

// TestFacts reads a fact: its size is 0 until it is open, then that of what was
// read.
func TestFacts(t *testing.T) {
	t.Parallel()
	document := []byte(`{"total": 1024}`)
	s := new(script).call("path_filestat_get", 3, 0, "host/memory", scriptRoom).dump(scriptRoom+32, 8)
	s.open("host/memory", 0, rightRead).call("fd_filestat_get", 4, scriptRoom+64).dump(scriptRoom+64+32, 8)
	out, err := program(t, newEngine(t, runtime.Config{}), s.wasm()).Run(t.Context(), runtime.Guest{Root: exampleRoot(t)})
	want := slices.Concat(make([]byte, 4+8+4+4), []byte{byte(len(document)), 0, 0, 0, 0, 0, 0, 0})
	if err != nil || !bytes.Equal(out.Stdout, want) {
		t.Errorf("%v, %v; want %v", out.Stdout, err, want)
	}
}

// TestFailuresAreLoggedOnce opens without end what cannot be read: the log has each
// reason once, and not more than a few of a run.
func TestFailuresAreLoggedOnce(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		reason func(attempt int) string
		want   int
	}{
		"one reason":   {func(int) string { return "there is no disk" }, 1},
		"many reasons": {func(n int) string { return fmt.Sprint("there is no disk ", n) }, 8},
	} {
		var log bytes.Buffer
		attempts := 0
		root, err := newRoot(nil, map[string]runtime.Document{"broken": func(context.Context) ([]byte, error) {
			attempts++
			return nil, errors.New(row.reason(attempts))
		}})
		if err != nil {
			t.Fatal(err)
		}
		s := new(script)
		for range 20 {
			s.open("host/broken", 0, rightRead)
		}
		e := newEngine(t, runtime.Config{Interpret: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
		if _, err := program(t, e, s.wasm()).Run(t.Context(), runtime.Guest{Root: root}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(log.String(), "there is no disk"); attempts != 20 || got != row.want {
			t.Errorf("%s: %d attempts, %d lines of log; want 20 and %d:\n%s", name, attempts, got, row.want, log.String())
		}
	}
}

// TestFactBlocks ends a run that waits for a fact; the fact sees the run's end.
func TestFactBlocks(t *testing.T) {
	t.Parallel()
	for engine, e := range engines(t) {
		root, err := newRoot(nil, map[string]runtime.Document{"slow": func(ctx context.Context) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		if err != nil {
			t.Fatal(err)
		}
		p := program(t, e, new(script).open("host/slow", 0, rightRead).wasm())
		_, err = p.Run(t.Context(), runtime.Guest{Root: root, Limits: policy.Limits{Time: 20 * time.Millisecond}})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v; want the deadline", engine, err)
		}
	}
}

// TestClocksAndRandomness wants the real ones.
func TestClocksAndRandomness(t *testing.T) {
	t.Parallel()
	s := new(script).
		call("clock_time_get", 0, int64(1), scriptRoom).dump(scriptRoom, 8).
		call("clock_time_get", 1, int64(1), scriptRoom).dump(scriptRoom, 8).
		call("clock_time_get", 1, int64(1), scriptRoom).dump(scriptRoom, 8).
		call("random_get", scriptRoom, 16).dump(scriptRoom, 16)
	p := program(t, newEngine(t, runtime.Config{}), s.wasm())
	seen := map[string]bool{}
	for range 3 {
		before := time.Now()
		out, err := p.Run(t.Context(), runtime.Guest{})
		after := time.Now()
		if err != nil || len(out.Stdout) != 3*12+4+16 {
			t.Fatalf("%v, %v", out.Stdout, err)
		}
		wall := time.Unix(0, int64(binary.LittleEndian.Uint64(out.Stdout[4:])))
		if wall.Before(before.Add(-time.Second)) || wall.After(after.Add(time.Second)) {
			t.Errorf("the wall clock says %v; want between %v and %v", wall, before, after)
		}
		if first, second := binary.LittleEndian.Uint64(out.Stdout[16:]), binary.LittleEndian.Uint64(out.Stdout[28:]); second < first {
			t.Errorf("the monotonic clock goes from %d to %d", first, second)
		}
		seen[string(out.Stdout[40:])] = true
	}
	if len(seen) != 3 {
		t.Errorf("three runs had %d different random numbers", len(seen))
	}
}

// TestSleep wants a sleep to end in time, and the run to go on.
func TestSleep(t *testing.T) {
	t.Parallel()
	out, err := program(t, newEngine(t, runtime.Config{}), SleepFor(2*time.Millisecond)).Run(t.Context(), runtime.Guest{})
	if err != nil || status(out) != "0" {
		t.Errorf("status %s, %v", status(out), err)
	}
}
