package memory

import (
	"container/list"
	"sync"
)

// A Pool makes memories and keeps the space of some that were freed, those used last, up
// to a sum of what they take.
type Pool struct {
	pages *pages
	size  uint64

	mu     sync.Mutex
	kept   list.List             // of *space, what was freed first is first
	of     map[*Image]*list.List // the same, by what is mapped there
	takes  uint64                // what all that is kept takes, in bytes
	closed bool
}

// NewPool returns a pool that keeps at most so many bytes.
func NewPool(bytes int64) *Pool {
	return &Pool{pages: openPages(), size: uint64(max(bytes, 0)), of: map[*Image]*list.List{}}
}

// Memory returns a memory of no size that can grow to limit bytes, rounded down to
// whole pages of 64 KiB, and begins with an image. Without an image it is all zeros.
func (p *Pool) Memory(limit int64, image *Image) *Memory {
	return &Memory{pool: p, limit: uint64(max(limit, 0)) / page * page, image: image}
}

// space returns space for a memory, kept or new, that begins with an image.
func (p *Pool) space(image *Image, least, size uint64) (s *space, err error) {
	mapped := image.mapped()
	if s = p.take(mapped, size); s == nil {
		if s, err = newSpace(mapped, least, size); err != nil {
			return nil, err
		}
	}
	if mapped == nil {
		err = image.copyTo(s)
	}
	if err != nil {
		s.free()
		return nil, err
	}
	return s, nil
}

// take returns space of size bytes at least that was kept, the last that was freed, or nil.
// The image is one that is mapped there, or nil.
func (p *Pool) take(image *Image, size uint64) *space {
	p.mu.Lock()
	defer p.mu.Unlock()
	of := p.of[image]
	if of == nil {
		return nil
	}
	for e := of.Back(); e != nil; e = e.Prev() {
		if s := e.Value.(*space); s.size() >= size {
			return p.remove(s)
		}
	}
	return nil
}

// put keeps space of which the first bytes were used, or frees it.
func (p *Pool) put(s *space, used uint64) {
	if p.size == 0 || s.survey(p.pages, used) > p.size || s.restore(s.image, used) != nil || !p.keep(s) {
		s.free()
	}
}

// keep makes room by freeing what was used longest ago. It is false if the pool or the
// image is closed.
func (p *Pool) keep(s *space) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || !s.image.keptBy(p) {
		return false
	}
	for p.takes+s.takes > p.size {
		p.remove(p.kept.Front().Value.(*space)).free()
	}
	if p.of[s.image] == nil {
		p.of[s.image] = list.New()
	}
	s.inAll, s.inImage = p.kept.PushBack(s), p.of[s.image].PushBack(s)
	p.takes += s.takes
	return true
}

// remove has space that is kept be kept no longer.
func (p *Pool) remove(s *space) *space {
	p.kept.Remove(s.inAll)
	p.of[s.image].Remove(s.inImage)
	p.takes -= s.takes
	return s
}

// drop frees what is kept of an image.
func (p *Pool) drop(image *Image) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := p.of[image].Front(); e != nil; e = p.of[image].Front() {
		p.remove(e.Value.(*space)).free()
	}
	delete(p.of, image)
}

// Close frees what is kept, and has nothing be kept any more.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := p.kept.Front(); e != nil; e = p.kept.Front() {
		p.remove(e.Value.(*space)).free()
	}
	p.closed = true
	p.pages.close()
}
