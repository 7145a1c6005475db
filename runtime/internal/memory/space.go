package memory

// A span is a part of a memory: the bytes from one to before another.
type span struct{ from, to uint64 }

// A space is where the memories of runs are, one after another.
type space struct {
	region
	image   *Image // what is mapped there, or nil: zeros
	touched []span // what is not shared with the image any more, as was last known
	takes   uint64 // memory, in bytes
}

// overhead is about what a space takes beside the pages that were written: tables of
// pages and descriptions of mappings in the system's kernel.
const overhead = 8 << 10

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
		err = s.load(image)
	}
	if err != nil {
		s.free()
		return nil, err
	}
	return s, nil
}

// survey finds out what of the first bytes was written and returns how many bytes of
// memory the space takes if it is kept.
func (s *space) survey(p *pages, used uint64) uint64 {
	s.touched = p.touched(s.touched[:0], &s.region, used)
	s.takes = overhead
	for _, part := range s.touched {
		s.takes += part.to - part.from
	}
	return s.takes
}

// restore makes the space what it was when it was new.
func (s *space) restore() error {
	for _, part := range s.touched {
		if err := s.region.restore(s.image, part); err != nil {
			return err
		}
	}
	return nil
}
