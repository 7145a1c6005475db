package memory

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
)

// smallImage is up to how many bytes an image is copied, not mapped: that takes less time
// than to find out what of it was written, and any program can have the memory next.
const smallImage = 256 << 10

// An Image is what memories begin with. It is immutable, and shared by all that begin
// with it. No image is a nil one.
type Image struct {
	size  uint64
	first uint64 // where bytes begin
	bytes []byte // from the first page of the system that is not zero to the last
	file  *file  // holds bytes, if memories map them

	written atomic.Pointer[[]span] // what a run wrote to, if one did

	mu     sync.Mutex
	closed bool
	users  int     // memories that are not freed
	pools  []*Pool // that may keep memories of it
}

// NewImage makes an image of size bytes, of which fill, unless it is nil, writes into
// a slice of zeros what it is to hold. The slice must not be used afterwards.
func NewImage(size uint64, fill func([]byte)) (*Image, error) {
	i := &Image{size: size}
	if fill == nil || size == 0 {
		return i, nil
	}
	if err := i.fill(fill); err != nil {
		return nil, fmt.Errorf("the system refuses an image of %d bytes: %w", size, err)
	}
	return i, nil
}

// fill keeps of what fill writes the pages between the first and the last that are not zero.
func (i *Image) fill(fill func([]byte)) error {
	if i.size > maxInt-page {
		return errors.New("out of memory")
	}
	scratch, err := reserve((i.size + page - 1) / page * page)
	if err != nil {
		return err
	}
	defer scratch.free()
	b, err := scratch.grow(scratch.size())
	if err != nil {
		return err
	}
	fill(b[:i.size:i.size])
	b, i.first = notZero(b, &scratch)
	return i.keep(b)
}

// notZero is the pages of a region from the first to the last that are not zero, and where
// they begin. It looks at those only that were written, as far as the system tells.
func notZero(b []byte, r *region) (part []byte, first uint64) {
	p := openPages()
	defer p.close()
	written := p.touched(nil, r, uint64(len(b)))
	if len(written) == 0 {
		return nil, 0
	}
	first, end := written[0].from, written[len(written)-1].to
	zero := make([]byte, os.Getpagesize())
	size := uint64(len(zero))
	for end > first && bytes.Equal(b[end-size:end], zero) {
		end -= size
	}
	for end > first && bytes.Equal(b[first:first+size], zero) {
		first += size
	}
	return b[first:end], first
}

// keep puts b into a file, where memories can map it and b is not small, or copies it.
func (i *Image) keep(b []byte) (err error) {
	if len(b) > smallImage {
		if i.file, err = newFile(b); err == nil {
			i.bytes = i.file.bytes
			return nil
		}
	}
	i.bytes = bytes.Clone(b)
	return nil
}

// Size is the least size in bytes of a memory that begins with the image.
func (i *Image) Size() uint64 {
	if i == nil {
		return 0
	}
	return i.size
}

// Holds is how many bytes of the image are kept, until it is closed.
func (i *Image) Holds() int64 { return int64(len(i.bytes)) }

// Close gives back what the image takes, as soon as all memories that begin with it are
// freed. No more can be made.
func (i *Image) Close() error {
	for _, p := range i.close() {
		p.drop(i)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.free()
}

// close returns the pools that may keep memories of the image; none will from now on.
func (i *Image) close() []*Pool {
	i.mu.Lock()
	defer i.mu.Unlock()
	pools := i.pools
	i.closed, i.pools = true, nil
	return pools
}

// keptBy notes that a pool keeps a memory of the image, unless it is closed.
func (i *Image) keptBy(p *Pool) bool {
	if i == nil {
		return true
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.closed && !slices.Contains(i.pools, p) {
		i.pools = append(i.pools, p)
	}
	return !i.closed
}

// hold counts a user, if the image is not closed.
func (i *Image) hold() bool {
	if i == nil {
		return true
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return false
	}
	i.users++
	return true
}

// release ends what hold began.
func (i *Image) release() {
	if i == nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.users--
	_ = i.free() // which Close would have said
}

// free closes the file if nobody can need it any more.
func (i *Image) free() error {
	if i.file == nil || !i.closed || i.users > 0 {
		return nil
	}
	file := i.file
	i.file, i.bytes = nil, nil
	return file.close()
}

// mapped is the image if memories map it, and nil otherwise.
func (i *Image) mapped() *Image {
	if i == nil || i.file == nil {
		return nil
	}
	return i
}

// end is how much of a memory the image takes, in whole pages of WebAssembly.
func (i *Image) end() uint64 {
	if i == nil {
		return 0
	}
	return (i.first + uint64(len(i.bytes)) + page - 1) / page * page
}

// within reports whether there is an image that is mapped, all of it in a part of a memory.
func (i *Image) within(part span) bool {
	return i.mapped() != nil && part.from <= i.first && i.end() <= part.to
}

// copyTo copies the image into space that is all zeros.
func (i *Image) copyTo(s *space) error {
	if i == nil {
		return nil
	}
	b, err := s.grow(i.end())
	if err == nil {
		copy(b[i.first:], i.bytes)
	}
	return err
}

// restore writes into a part of a memory what the image, or none, has there.
func (i *Image) restore(space []byte, part span) {
	b := space[part.from:part.to]
	if i == nil {
		clear(b)
		return
	}
	within := span{max(part.from, i.first), min(part.to, i.first+uint64(len(i.bytes)))}
	if within.from >= within.to {
		clear(b)
		return
	}
	clear(b[:within.from-part.from])
	copy(b[within.from-part.from:], i.bytes[within.from-i.first:within.to-i.first])
	clear(b[within.to-part.from:])
}
