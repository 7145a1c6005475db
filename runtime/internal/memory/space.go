package memory

import (
	"container/list"
	"slices"
)

// A span is a part of a memory: the bytes from one to before another.
type span struct{ from, to uint64 }

// appendPage appends a page, or has the last span go on to its end.
func appendPage(spans []span, at, size uint64) []span {
	if last := len(spans) - 1; last >= 0 && spans[last].to == at {
		spans[last].to += size
		return spans
	}
	return append(spans, span{at, at + size})
}

// A space is where the memories of runs are, one after another.
type space struct {
	region
	image   *Image // what is mapped there, or nil: zeros
	touched []span // what takes memory of its own, as was last known
	spare   []span // for the next touched
	takes   uint64 // memory, in bytes

	inAll, inImage *list.Element // of the pool that keeps it
}

// overhead is about what a space takes beside the pages that were written: tables of
// pages and descriptions of mappings in the system's kernel.
const overhead = 8 << 10

// few is how many bytes all count as written, for to clear them takes no longer than to ask.
const few = 128 << 10

// newSpace reserves size bytes or, where the system refuses, as much as it has, but least
// bytes, and maps an image there, or none.
func newSpace(image *Image, least, size uint64) (s *space, err error) {
	s = &space{image: image}
	for ; size > 0 && size >= least; size = size / 2 / page * page {
		if s.region, err = reserve(size); err == nil {
			break
		}
	}
	if err == nil && image != nil {
		err = s.begin()
	}
	if err != nil {
		s.free()
		return nil, err
	}
	return s, nil
}

// begin maps the image, and has the system supply what a run of it wrote to.
func (s *space) begin() error {
	if err := s.load(s.image); err != nil {
		return err
	}
	if written := s.image.written.Load(); written != nil {
		for _, part := range *written {
			s.populate(part)
		}
	}
	return nil
}

// survey finds out what of the first bytes, whole pages, was written, and returns how many
// bytes of memory the space takes if it is kept.
func (s *space) survey(p *pages, used uint64) uint64 {
	before := s.touched
	if s.touched = s.spare[:0]; used <= few {
		s.touched = append(s.touched, span{0, used})
	} else {
		s.touched = p.touched(s.touched, &s.region, used)
	}
	for _, part := range before {
		if part.to > used {
			s.touched = append(s.touched, span{max(part.from, used), part.to})
		}
	}
	s.spare, s.takes = before, overhead
	if s.image != nil {
		s.takes += s.image.file.own()
	}
	for _, part := range s.touched {
		s.takes += part.to - part.from
		if s.image.within(part) { // and is mapped anew
			s.takes -= uint64(len(s.image.bytes))
		}
	}
	if s.image != nil && s.image.written.Load() == nil {
		written := slices.Clone(s.touched)
		s.image.written.Store(&written)
	}
	return s.takes
}

// restore puts what an image, or none, has there where something was written among the
// first bytes. Beyond them all is as it was.
func (s *space) restore(image *Image, used uint64) error {
	for _, part := range s.touched {
		if part.from >= used {
			break
		}
		if err := s.region.restore(image, part); err != nil {
			return err
		}
	}
	return nil
}
