package runtime_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// hostile are guests that try to get out, to stay, or to take more than they may.
// Each runs with the default limits, compiled and interpreted; one that only its
// time limit ends has 300 ms.
var hostile = map[string]struct {
	wasm func() []byte
	want string // in the error; "time" for a run that its time limit ended; empty for an exit status
}{
	"reads above the root":   {readAll("../", "../../etc/passwd", "data/../../.."), ""},
	"reads /etc/passwd":      {readAll("/etc/passwd", "etc/passwd"), ""},
	"reads the environment":  {readAll("/proc/self/environ", "proc/self/environ"), ""},
	"writes in the root":     {writeAll, ""},
	"spins":                  {Spin, "time"},
	"recurses without loops": {Recurse, "time"},
	"recurses forever":       {RecurseForever, "stack"},
	"recurses with much":     {func() []byte { return RecurseWith(100) }, "stack"},
	"sleeps":                 {func() []byte { return SleepFor(time.Hour) }, "time"},
	"sleeps in a loop": {func() []byte {
		return new(script).forever("poll_oneoff", scriptText, scriptRoom, 1, scriptRoom+64).wasm()
	}, "time"},
	"grows its memory":        {GrowMemory, ""},
	"grows its tables":        {GrowTable, ""},
	"fills memory":            {FillMemory, "time"},
	"fills memory, no loops":  {FillBulk, "time"},
	"copies memory, no loops": {copyBulk, "time"},
	"opens without end":       {func() []byte { return opening("module.json") }, "time"},
	"opens facts":             {func() []byte { return opening("host/memory") }, "time"},
	"prints without end":      {func() []byte { return PrintForever("all work and no play\n") }, "output limit"},
	"prints to stderr":        {printToStderr, "standard error, its output limit"},
	"prints nothing forever":  {func() []byte { return new(script).forever("fd_write", 1, scriptVector, 0, scriptRoom).wasm() }, "time"},
	"is a chain of branches": {func() []byte {
		return Command(nil, slices.Repeat(Code(MemorySize, Raw(0), If, Void, End), 20_000)).Bytes()
	}, ""},
	"recurses with results": {recurseWithResults, "stack"},
	"has a big function":    {func() []byte { return BigBody(bigBody()) }, ""},
	"exits 2 silently":      {func() []byte { return ExitWith(2) }, ""},
	"exits -1":              {func() []byte { return ExitWith(0xffffffff) }, ""},
	"exits as a deadline":   {func() []byte { return ExitWith(0xefffffff) }, ""},
	"is unreachable":        {Unreachable, "trapped: unreachable"},
	"wants all randomness":  {random, "time"},
	"reads without end":     {readForever, "time"},
	"reads what blocks":     {func() []byte { return new(script).open("host/blocks", 0, rightRead).wasm() }, "time"},
	"reads empty input":     {func() []byte { return new(script).forever("fd_read", 0, scriptVector, 1, scriptRoom).wasm() }, "time"},
	"renumbers far away": {func() []byte {
		return new(script).open("module.json", 0, rightRead).call("fd_renumber", 4, 0x7fffffff).wasm()
	}, ""},
	"waits for everything": {waitForAll, "time"},
	"lists without end": {func() []byte {
		return new(script).forever("fd_readdir", 3, scriptRoom, 1024, int64(0), scriptText).wasm()
	}, "time"},
	"gives pointers outside": {pointersOutside, ""},
}

func readAll(paths ...string) func() []byte {
	return func() []byte {
		s := new(script)
		for _, path := range paths {
			s.open(path, 0, rightRead)
		}
		return s.wasm()
	}
}

func writeAll() []byte {
	s := new(script).open("module.json", oTrunc, rightWrite).open("new", oCreat, rightWrite).call("path_create_directory", 3, "d")
	s.call("path_rename", 3, "module.json", 3, "x").call("path_link", 3, 0, "module.json", 3, "x").call("path_symlink", "/etc", 3, "x")
	return s.call("path_unlink_file", 3, "module.json").wasm()
}

func opening(path string) []byte {
	s := new(script)
	return s.forever("path_open", s.openArgs(path, 0, rightRead)...).wasm()
}

// bigBody is nearly the largest size of a function, which is too large to compile.
// With the race detector it is less: reading it takes long there.
func bigBody() int {
	if raceEnabled {
		return 300_000
	}
	return 1<<20 - 1000
}

// copyBulk moves nearly 64 MiB by a byte, 2,000 times.
func copyBulk() []byte {
	m := Command(nil, slices.Repeat(Code(I32Const, 1, I32Const, 0, I32Const, 64<<20-1, MemoryCopy, Raw(0), Raw(0)), 2000))
	m.Memory.Min = 64 << 20 / Page
	return m.Bytes()
}

// recurseWithResults hands 32 values from call to call, each of which is a new value for
// the compiler.
func recurseWithResults() []byte {
	values := slices.Repeat([]Op{I64}, 32)
	m := Command(nil, Code(slices.Repeat(Code(I64Const, 1), 32), Call, uint32(1), slices.Repeat(Code(Drop), 32)))
	m.Funcs = append(m.Funcs, Func{Type: Signature{Params: values, Results: values}, Code: Code(
		slices.Repeat(Code(LocalGet, uint32(0)), 32), slices.Repeat(Code(Call, uint32(1)), 1500),
	)})
	return m.Bytes()
}

func printToStderr() []byte {
	s := new(script).dump(0, 0) // the iovec
	s.code = append(s.code, Code(I32Const, scriptVector, I32Const, 1000, I32Store, uint32(2), uint32(4))...)
	return s.forever("fd_write", 2, scriptVector, 1, scriptRoom).wasm()
}

// random fills nearly all of 64 MiB with randomness, again and again.
func random() []byte {
	s := new(script)
	s.pages = 64<<20/Page - 1
	return s.forever("random_get", Page, 62<<20).wasm()
}

// readForever reads a file with eight million iovecs in one call, from a descriptor
// that it rewinds.
func readForever() []byte {
	s := new(script).open("module.json", 0, rightRead)
	s.pages = 64<<20/Page - 1
	s.code = append(s.code, Code(Loop, Void,
		s.invoke("fd_seek", 4, int64(0), 0, scriptRoom), Drop,
		s.invoke("fd_pread", 4, Page, 7<<20, int64(0), scriptRoom), Drop,
		Br, uint32(0), End)...)
	return s.wasm()
}

// waitForAll polls as many descriptors as a call can name.
func waitForAll() []byte {
	s := new(script)
	s.pages = 64<<20/Page - 1
	return s.forever("poll_oneoff", 0, 32<<20, 600_000, scriptRoom).wasm()
}

func pointersOutside() []byte {
	return new(script).
		call("fd_write", 1, -8, 1, scriptRoom).call("fd_write", 1, scriptVector, -1, scriptRoom).call("fd_write", 1, scriptVector, 1, -4).
		call("fd_read", 0, -8, 1, scriptRoom).call("random_get", -10, 100).call("random_get", 0, -1).call("args_get", -4, -4).
		call("clock_time_get", 0, int64(0), -8).call("fd_readdir", 3, -100, 100, int64(0), -4).call("poll_oneoff", -48, -32, 1, -4).
		call("path_open", 3, 1, -4, 100, 0, rightRead, int64(0), 0, -4).call("fd_prestat_dir_name", 3, -1, 1).call("fd_fdstat_get", 3, -24).
		wasm()
}

// TestHostile runs every hostile guest, and after each one that is not. It does
// not run beside other tests, for it watches the memory of the process.
func TestHostile(t *testing.T) {
	limits := policy.Defaults
	root := hostileRoot(t)
	for engine, e := range engines(t) {
		good := program(t, e, Print("OK", 0))
		for name, row := range hostile {
			t.Run(engine+"/"+name, func(t *testing.T) {
				limits := limits
				if row.want == "time" {
					limits.Time = 300 * time.Millisecond
				}
				before := resetPeak(t)
				p := program(t, e, row.wasm())
				out, err := p.Run(t.Context(), runtime.Guest{Args: []string{"x"}, Root: root, Limits: limits})
				p.Close()
				switch {
				case row.want == "time" && !errors.Is(err, context.DeadlineExceeded):
					t.Errorf("%v; want the time limit", err)
				case row.want == "" && (err != nil || out.Usage.ExitStatus == nil):
					t.Errorf("%v; want an exit status", err)
				case row.want != "" && row.want != "time" && (err == nil || !strings.Contains(err.Error(), row.want)):
					t.Errorf("%v; want %q in the error", err, row.want)
				}
				if strings.Contains(string(out.Stdout), "root:") || len(out.Stdout) > int(limits.Output) || len(out.Stderr) > int(limits.Output) {
					t.Errorf("printed %d and %d bytes: %.60q", len(out.Stdout), len(out.Stderr), out.Stdout)
				}
				if out.Usage.Memory > int64(limits.Memory) {
					t.Errorf("a memory of %d bytes", out.Usage.Memory)
				}
				grown, most := peak(t)-before, 6*int64(limits.Memory)
				t.Logf("answered after %v, the process grew by %d MiB, the program by %d MiB", out.Usage.Wall, grown>>20, out.Usage.Memory>>20)
				if grown > most && !raceEnabled {
					t.Errorf("the process grew by %d MiB; want at most %d MiB", grown>>20, most>>20)
				}
				if out, err := good.Run(t.Context(), runtime.Guest{}); err != nil || string(out.Stdout) != "OK" {
					t.Errorf("the next program printed %q, %v", out.Stdout, err)
				}
			})
		}
	}
}

// hostileRoot is exampleRoot with a fact that blocks.
func hostileRoot(t *testing.T) *runtime.Root {
	t.Helper()
	root, err := newRoot([]runtime.File{{Name: "module.json", Data: []byte("{}")}}, map[string]runtime.Document{
		"memory": func(context.Context) ([]byte, error) { return make([]byte, 1<<20), nil },
		"blocks": func(ctx context.Context) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// resetPeak has the system forget the largest size that the process had, and
// returns its size. Where the system does not say, it is 0, as is peak.
func resetPeak(t *testing.T) int64 {
	t.Helper()
	debug.FreeOSMemory()
	if os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) != nil {
		return 0
	}
	return peak(t)
}

// peak is the largest size of the process in bytes since resetPeak.
func peak(t *testing.T) int64 {
	t.Helper()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if size, found := strings.CutPrefix(lines.Text(), "VmHWM:"); found {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(size), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	return 0
}
