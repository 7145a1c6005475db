package memory_test

import (
	"bytes"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/wasmagent/wasmagent/runtime/internal/memory"
)

// A picture is what an image of a test holds.
type picture struct {
	pages uint64
	bytes map[uint64]byte // that are not zero
}

var pictures = map[string]picture{
	"nothing":                {0, nil},
	"zeros":                  {3, nil},
	"small":                  {2, map[uint64]byte{0: 1, 5000: 2, 2*page - 1: 3}},
	"small, far up":          {40, map[uint64]byte{39 * page: 1, 39*page + 77: 2}},
	"large":                  {20, map[uint64]byte{0: 1, 10 * page: 2, 20*page - 1: 3}},
	"large, zeros around it": {64, map[uint64]byte{5*page + 3: 1, 30 * page: 2, 50*page - 1: 3}},
	"larger":                 {96, map[uint64]byte{page: 9, 3 * page: 1, 95 * page: 2, 96*page - 9: 3}},
}

// image makes the image, which the test closes at its end.
func (p picture) image(t testing.TB) *memory.Image {
	t.Helper()
	image, err := memory.NewImage(p.pages*page, func(b []byte) {
		if uint64(len(b)) != p.pages*page {
			t.Errorf("%d bytes to fill; want %d", len(b), p.pages*page)
		}
		p.fill(b)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := image.Close(); err != nil {
			t.Error(err)
		}
	})
	return image
}

func (p picture) fill(b []byte) {
	for at, value := range p.bytes {
		b[at] = value
	}
}

// same reports whether a memory is as the picture, and zero beyond it.
func (p picture) same(b []byte) bool {
	want := make([]byte, len(b))
	p.fill(want)
	return bytes.Equal(b, want)
}

// TestImage has memories of all images follow one another in one pool, each of which
// is written full, and wants all to begin as if they were the first.
func TestImage(t *testing.T) {
	t.Parallel()
	for name, kept := range map[string]int64{"none": 0, "few": 1 << 20, "all": 256 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := memory.NewPool(kept)
			defer pool.Close()
			images := map[string]*memory.Image{}
			for name, p := range pictures {
				images[name] = p.image(t)
			}
			for round := range 3 {
				for name, p := range pictures {
					useTwo(t, pool, images[name], name, p, round)
				}
			}
		})
	}
}

// useTwo has two memories at once, of which the second is written while the first is
// looked at, and grows both beyond the image.
func useTwo(t *testing.T, pool *memory.Pool, image *memory.Image, name string, p picture, round int) {
	t.Helper()
	var open [2]*memory.Memory
	for i := range open {
		open[i] = pool.Memory(int64(p.pages+8)*page, image)
		linear := open[i].Allocate(min(p.pages, 1)*page, 1<<32)
		for _, more := range []uint64{0, 3, 8} {
			b := linear.Reallocate((p.pages + more) * page)
			if open[i].Err() != nil || !p.same(b) {
				t.Fatalf("%s, round %d, memory %d, %d pages more: not as the image (error %v)", name, round, i, more, open[i].Err())
			}
		}
	}
	second := open[1].Reallocate((p.pages + 8) * page)
	for at := round; at < len(second); at += 1 + round*4096 { // all of it, and parts
		second[at] = 0xff
	}
	if first := open[0].Reallocate((p.pages + 8) * page); !p.same(first) {
		t.Errorf("%s, round %d: what one memory wrote shows in another", name, round)
	}
	for _, m := range open {
		m.Free()
	}
}

// TestRestore has one memory of each image be used again and again, at its first size and
// when it has grown.
func TestRestore(t *testing.T) {
	t.Parallel()
	pool := memory.NewPool(1 << 20)
	defer pool.Close()
	for name, p := range pictures {
		m := pool.Memory(int64(p.pages+1)*page, p.image(t))
		linear := m.Allocate(0, 1<<32)
		for more := range uint64(2) {
			b := linear.Reallocate((p.pages + more) * page)
			for round := range 4 {
				for at := round; at < len(b); at += 1 + round*5000 {
					b[at] = 0xff
				}
				if err := m.Restore(); err != nil || !p.same(b) {
					t.Errorf("%s, %d pages more, round %d: not as the image (error %v)", name, more, round, err)
				}
			}
		}
		if m.Takes() <= 0 {
			t.Errorf("%s: it takes %d bytes", name, m.Takes())
		}
		if m.Free(); m.Takes() != 0 {
			t.Errorf("%s: it takes %d bytes when it is freed", name, m.Takes())
		}
	}
}

func TestImageRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		pages, limit, most uint64
	}{
		"limit under the image":              {2, 1, 8},
		"limit under a large image":          {20, 19, 64},
		"most of the module under the image": {20, 64, 19},
	} {
		image := picture{row.pages, map[uint64]byte{0: 1, row.pages*page - 1: 1}}.image(t)
		m := memory.NewPool(0).Memory(int64(row.limit*page), image)
		if b := m.Allocate(page, row.most*page).Reallocate(page); b != nil || m.Err() == nil {
			t.Errorf("%s: %d bytes, error %v; want an error", name, len(b), m.Err())
		}
		m.Free()
	}
}

// TestImageClosed closes an image while a memory begins with it and others are kept.
func TestImageClosed(t *testing.T) {
	t.Parallel()
	for name, p := range pictures {
		pool := memory.NewPool(256 << 20)
		image, err := memory.NewImage(p.pages*page, p.fill)
		if err != nil {
			t.Fatal(err)
		}
		limit := int64(p.pages+1) * page
		before, during := pool.Memory(limit, image), pool.Memory(limit, image)
		b := during.Allocate(0, 1<<32).Reallocate(p.pages * page)
		before.Allocate(0, 1<<32).Reallocate(p.pages * page)
		before.Free()
		for range 2 {
			if err := image.Close(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if !p.same(b) {
			t.Errorf("%s: the memory changed when its image was closed", name)
		}
		clear(b)
		during.Free()
		after := pool.Memory(limit, image)
		if b := after.Allocate(0, 1<<32).Reallocate(p.pages * page); b != nil || after.Err() == nil {
			t.Errorf("%s: a memory of a closed image has %d bytes, error %v", name, len(b), after.Err())
		}
		pool.Close()
	}
}

// TestImageConcurrent has many runs of all images at once, in one pool.
func TestImageConcurrent(t *testing.T) {
	t.Parallel()
	pool := memory.NewPool(8 << 20)
	defer pool.Close()
	var group sync.WaitGroup
	for i, name := range slices.Sorted(maps.Keys(pictures)) {
		p := pictures[name]
		image := p.image(t)
		for j := range 4 {
			group.Go(func() {
				for k := range 6 {
					m := pool.Memory(int64(p.pages+4)*page, image)
					b := m.Allocate(0, 1<<32).Reallocate((p.pages + 4) * page)
					if !p.same(b) {
						t.Errorf("%s: not as the image (error %v)", name, m.Err())
					}
					for at := i + 7*j; at < len(b); at += 1 + 3000*k {
						b[at] = 0xff
					}
					m.Free()
				}
			})
		}
	}
	group.Wait()
}

// FuzzImage compares memories of one image, one after another, with slices.
func FuzzImage(f *testing.F) {
	for _, p := range pictures {
		f.Add(uint16(p.pages), uint64(page), []byte{0, 1, 2, 0x7f, 3, 4, 250, 130, 7, 0x7f})
	}
	f.Add(uint16(20), uint64(4097), []byte{255, 0, 13, 14, 15, 128, 128, 200})
	f.Fuzz(func(t *testing.T, pages uint16, step uint64, script []byte) {
		size := uint64(pages%64) * page
		fill := func(b []byte) {
			for at := step % page; at < size; at += max(step%size, 1000) {
				b[at] = byte(at) | 1
			}
		}
		image, err := memory.NewImage(size, fill)
		if err != nil {
			t.Fatal(err)
		}
		defer image.Close()
		pool := memory.NewPool(4 << 20)
		defer pool.Close()
		for range 3 {
			follow(t, pool.Memory(int64(size)+16*page, image), size, fill, script)
		}
	})
}

// follow grows and writes a memory and a slice as a script says, which it compares.
func follow(t *testing.T, m *memory.Memory, size uint64, fill func([]byte), script []byte) {
	defer m.Free()
	want := make([]byte, size)
	fill(want)
	linear := m.Allocate(0, 1<<32)
	b := linear.Reallocate(size)
	for i, op := range script {
		switch {
		case op == 0x7f && m.Restore() == nil:
			clear(want)
			fill(want)
		case op >= 0x80 && uint64(len(want)) < size+16*page:
			want = append(want, make([]byte, page)...)
			b = linear.Reallocate(uint64(len(want)))
		case len(want) > 0:
			at := (uint64(op)*7919 + uint64(i)*104729) * 4099 % uint64(len(want))
			want[at]++
			b[at]++
		}
		if !bytes.Equal(b, want) {
			t.Fatalf("after step %d of %v the memory is another (error %v)", i, script, m.Err())
		}
	}
}
