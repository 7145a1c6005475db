package memory_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/runtime/internal/memory"
)

// A guest is which pages of 4 KiB of its image a run writes and reads.
type guest struct {
	name   string
	size   int
	data   int // how much is not zero
	writes []int
	reads  []int
}

// guests are as programs were seen to be: a C program with a stack and some data, and a
// Go reactor after its initialisation.
func guests() []guest {
	random := rand.New(rand.NewPCG(1, 2))
	reactor := guest{name: "Go", size: 6 << 20, data: 6 << 20}
	for _, i := range random.Perm(reactor.size / 4096)[:200] {
		if i%3 == 0 {
			reactor.reads = append(reactor.reads, i)
		} else {
			reactor.writes = append(reactor.writes, i)
		}
	}
	return []guest{{"C", 128 << 10, 20 << 10, []int{0, 1, 15, 16, 17}, []int{2, 3}}, reactor}
}

// run does to a memory what the guest does, beside computing.
func (g guest) run(b []byte) (sum byte) {
	for _, i := range g.writes {
		b[i*4096+8]++
	}
	for _, i := range g.reads {
		sum += b[i*4096+16]
	}
	return sum
}

// fill writes the data.
func (g guest) fill(b []byte) {
	for i := range b[:g.data] {
		b[i] = byte(i*7) | 1
	}
}

// reserved is how much address space each memory has.
const reserved = 64 << 20

// A variant makes what a goroutine does for each run.
type variant struct {
	name string
	make func(b *testing.B, g guest) (once func(), end func())
}

// variants are those of all systems.
var variants = []variant{
	{"copy all", func(b *testing.B, g guest) (once, end func()) {
		space, view := make([]byte, g.size), make([]byte, g.size)
		g.fill(view)
		return func() {
			g.run(space)
			copy(space, view)
		}, func() {}
	}},
	{"this package, nothing kept", func(b *testing.B, g guest) (once, end func()) { return g.pooled(b, 0) }},
	{"this package, none kept that fits", func(b *testing.B, g guest) (once, end func()) { return g.pooled(b, 1) }},
	{"this package, restored", func(b *testing.B, g guest) (once, end func()) {
		pool := memory.NewPool(32 << 20)
		image := g.image(b)
		m := pool.Memory(reserved, image)
		space := m.Allocate(page, reserved).Reallocate(uint64(g.size))
		return func() {
			g.run(space)
			if err := m.Restore(); err != nil {
				b.Fatal(err)
			}
		}, func() { m.Free(); pool.Close(); image.Close() }
	}},
	{"this package", func(b *testing.B, g guest) (once, end func()) { return g.pooled(b, 32<<20) }},
}

func (g guest) image(b *testing.B) *memory.Image {
	image, err := memory.NewImage(uint64(g.size), g.fill)
	if err != nil {
		b.Fatal(err)
	}
	return image
}

// pooled is a run as the package does it.
func (g guest) pooled(b *testing.B, kept int64) (once, end func()) {
	pool := memory.NewPool(kept)
	image := g.image(b)
	return func() {
			m := pool.Memory(reserved, image)
			g.run(m.Allocate(page, reserved).Reallocate(uint64(g.size)))
			m.Free()
		}, func() {
			pool.Close()
			image.Close()
		}
}

// BenchmarkImage is what a run pays for a memory that begins with an image, by the ways to
// make it so again after a run, in ns, of one goroutine and of two at once. The ways take
// turns, of which the tenth counts that is quicker than nine of ten: what else the machine
// does is not to count.
func BenchmarkImage(b *testing.B) {
	for _, g := range guests() {
		for _, goroutines := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s-guest/goroutines=%d", g.name, goroutines), func(b *testing.B) {
				g.compare(b, goroutines)
			})
		}
	}
}

// turn is how many runs a way has before it is the next one's turn.
const turn = 5

func (g guest) compare(b *testing.B, goroutines int) {
	variants := append(slices.Clip(variants), systemVariants...)
	steps := make([][]func(), len(variants))
	for i, v := range variants {
		for range goroutines {
			once, end := v.make(b, g)
			defer end()
			steps[i] = append(steps[i], once)
		}
	}
	times := make([][]time.Duration, len(variants))
	for b.Loop() {
		for i := range variants {
			times[i] = append(times[i], timed(steps[i])/turn)
		}
	}
	b.ReportMetric(0, "ns/op")
	for i, v := range variants {
		slices.Sort(times[i])
		b.ReportMetric(float64(times[i][len(times[i])/10]), strings.ReplaceAll(v.name, " ", "-"))
	}
}

// timed is how long all take that run at once, a turn each.
func timed(steps []func()) time.Duration {
	var group sync.WaitGroup
	start := time.Now()
	for _, once := range steps {
		group.Go(func() {
			for range turn {
				once()
			}
		})
	}
	group.Wait()
	return time.Since(start)
}
