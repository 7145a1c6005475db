package memory_test

import (
	"bytes"
	"math"
	"sync"
	"testing"

	"github.com/wasmagent/wasmagent/runtime/internal/memory"
)

const page = 64 << 10

func TestGrow(t *testing.T) {
	t.Parallel()
	m := memory.NewPool(0).Memory(10*page+1, nil)
	defer m.Free()
	linear := m.Allocate(page, math.MaxUint32+1)
	for pages := uint64(1); pages <= 10; pages++ {
		b := linear.Reallocate(pages * page)
		if uint64(len(b)) != pages*page || uint64(cap(b)) != pages*page {
			t.Fatalf("%d pages: length %d, capacity %d", pages, len(b), cap(b))
		}
		if !bytes.Equal(b[(pages-1)*page:], make([]byte, page)) {
			t.Fatalf("%d pages: the new page is not zero", pages)
		}
		if pages > 1 && b[0] != byte(pages-1) {
			t.Fatalf("%d pages: the first byte is %d; want %d", pages, b[0], pages-1)
		}
		b[0], b[len(b)-1] = byte(pages), 1
		b[len(b)-1] = 0
	}
	if m.Err() != nil {
		t.Errorf("error before the limit: %v", m.Err())
	}
	if b := linear.Reallocate(11 * page); b != nil {
		t.Errorf("a size over the limit gave %d bytes", len(b))
	}
	if m.Err() == nil {
		t.Error("no error over the limit")
	}
	if m.Peak() != 10*page {
		t.Errorf("peak %d; want %d", m.Peak(), 10*page)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		limit       int64
		least, most uint64
		size        uint64
	}{
		"no memory at all":          {0, 0, 0, page},
		"negative limit":            {-1, 0, page, page},
		"limit under a page":        {page - 1, 0, page, page},
		"minimum over the limit":    {page, 2 * page, 4 * page, 2 * page},
		"more than the module says": {8 * page, 0, 2 * page, 3 * page},
		"nothing to be had":         {math.MaxInt64, math.MaxInt64 / page * page, math.MaxInt64, page},
	} {
		m := memory.NewPool(0).Memory(row.limit, nil)
		if b := m.Allocate(row.least, row.most).Reallocate(row.size); b != nil {
			t.Errorf("%s: got %d bytes", name, len(b))
		}
		if m.Err() == nil || m.Peak() != 0 {
			t.Errorf("%s: error %v, peak %d; want an error and no peak", name, m.Err(), m.Peak())
		}
		m.Free()
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	m := memory.NewPool(0).Memory(page, nil)
	if b := m.Allocate(0, page).Reallocate(0); b == nil || len(b) != 0 {
		t.Errorf("a memory of no size is %v; want an empty slice", b)
	}
	m.Free()
	m.Free()
}

// TestReserveLess asks for far more address space than there is: the memory then
// has what could be had.
func TestReserveLess(t *testing.T) {
	t.Parallel()
	m := memory.NewPool(0).Memory(math.MaxInt64, nil)
	defer m.Free()
	if b := m.Allocate(page, math.MaxInt64).Reallocate(page); len(b) != page {
		t.Errorf("%d bytes, %v; want %d", len(b), m.Err(), page)
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			m := memory.NewPool(0).Memory(64*page, nil)
			defer m.Free()
			b := m.Allocate(page, 64*page).Reallocate(64 * page)
			for j := 0; j < len(b); j += 4096 {
				if b[j] != 0 {
					t.Errorf("byte %d is %d before it was written", j, b[j])
					return
				}
				b[j] = byte(i + 1)
			}
		})
	}
	group.Wait()
}

// TestPool fills memories of a pool and wants the next ones to be zero, whatever
// their sizes.
func TestPool(t *testing.T) {
	t.Parallel()
	pool := memory.NewPool(20 * page)
	defer pool.Close()
	for i, pages := range []uint64{1, 2, 1, 16, 3, 17, 64, 1, 40} {
		var open []*memory.Memory
		for j := range 3 {
			m := pool.Memory(int64(max(pages, 16)+uint64(j))*page, nil)
			m.Allocate(page, 64*page).Reallocate(page)
			b := m.Reallocate(pages * page)
			if uint64(len(b)) != pages*page || bytes.Count(b, []byte{0}) != len(b) {
				t.Fatalf("memory %d, %d: %d bytes, %d of them zero; want %d", i, j, len(b), bytes.Count(b, []byte{0}), pages*page)
			}
			for k := range b {
				b[k] = 0xff
			}
			open = append(open, m)
		}
		for _, m := range open {
			m.Free()
			m.Free()
		}
	}
}

// TestDiscard wants nothing of a discarded memory in another.
func TestDiscard(t *testing.T) {
	t.Parallel()
	pool := memory.NewPool(20 * page)
	defer pool.Close()
	for _, discard := range []bool{false, true} {
		m := pool.Memory(8*page, nil)
		for i, b := 0, m.Allocate(page, 8*page).Reallocate(8*page); i < len(b); i += 1024 {
			b[i] = 1
		}
		if discard {
			m.Discard()
		}
		m.Free()
		next := pool.Memory(8*page, nil)
		next.Allocate(page, 8*page).Reallocate(page)
		if takes := next.Takes(); (takes < 2*page) != discard {
			t.Errorf("discarded %v: the next takes %d bytes", discard, takes)
		}
		next.Free()
	}
}

// TestPoolKeepsTheLimit wants a memory from the pool to be no larger than it may.
func TestPoolKeepsTheLimit(t *testing.T) {
	t.Parallel()
	pool := memory.NewPool(page)
	defer pool.Close()
	large := pool.Memory(64*page, nil)
	large.Allocate(page, 64*page).Reallocate(page)
	large.Free()
	small := pool.Memory(2*page, nil)
	defer small.Free()
	if b := small.Allocate(page, 64*page).Reallocate(3 * page); b != nil {
		t.Errorf("%d bytes over a limit of %d", len(b), 2*page)
	}
}

// BenchmarkMemory is what a run pays for a memory of which it touches one page,
// with and without memories that were kept.
func BenchmarkMemory(b *testing.B) {
	for name, kept := range map[string]int64{"new": 0, "kept": 4 << 20} {
		b.Run(name, func(b *testing.B) {
			pool := memory.NewPool(kept)
			defer pool.Close()
			for b.Loop() {
				m := pool.Memory(64<<20, nil)
				m.Allocate(page, 64<<20).Reallocate(page)[0] = 1
				m.Free()
			}
		})
	}
}

// BenchmarkGrow grows to 4 MiB in four steps and writes to every page, as a Go
// program does.
func BenchmarkGrow(b *testing.B) {
	for name, kept := range map[string]int64{"new": 0, "kept": 4 << 20} {
		b.Run(name, func(b *testing.B) {
			pool := memory.NewPool(kept)
			defer pool.Close()
			for b.Loop() {
				m := pool.Memory(64<<20, nil)
				linear := m.Allocate(page, 64<<20)
				for size := uint64(1 << 20); size <= 4<<20; size += 1 << 20 {
					s := linear.Reallocate(size)
					for i := size - 1<<20; i < size; i += 4096 {
						s[i] = 1
					}
				}
				m.Free()
			}
		})
	}
}
