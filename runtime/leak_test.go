package runtime_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	goruntime "runtime"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// TestNothingIsLeftBehind runs programs that end in every way, each many times,
// and wants no goroutine, descriptor or mapping to be left. It does not run beside
// other tests.
func TestNothingIsLeftBehind(t *testing.T) {
	round := func() {
		e, err := runtime.NewEngine(runtime.Config{CacheDir: filepath.Join(t.TempDir(), "c"), Log: quiet})
		if err != nil {
			t.Fatal(err)
		}
		for _, wasm := range [][]byte{
			Print("OK", 0), Unreachable(), Spin(), SleepFor(time.Hour), GrowMemory(), PrintForever("x"), RecurseForever(),
			opening("module.json"), Command(nil, nil, Data{Offset: Page, Bytes: []byte("x")}).Bytes(),
		} {
			p := program(t, e, wasm)
			for range 3 {
				_, _ = p.Run(t.Context(), runtime.Guest{Root: exampleRoot(t), Limits: policy.Limits{Time: 5 * time.Millisecond}})
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	round()
	before := held()
	for range 10 {
		round()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for ctx.Err() == nil { // what a finalizer frees is freed some time after
		after := held()
		if after.goroutines <= before.goroutines && after.descriptors <= before.descriptors && after.mappings <= before.mappings+10 {
			return
		}
		goruntime.Gosched()
	}
	t.Errorf("held before %+v, after %+v", before, held())
}

// A holding is what the process has of the system, as far as that says so.
type holding struct{ goroutines, descriptors, mappings int }

func held() holding {
	goruntime.GC()
	descriptors, _ := os.ReadDir("/proc/self/fd")
	mappings, _ := os.ReadFile("/proc/self/maps")
	return holding{goruntime.NumGoroutine(), len(descriptors), bytes.Count(mappings, []byte("\n"))}
}
