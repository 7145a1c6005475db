package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"

	"github.com/wasmagent/wasmagent/guest"
)

// A place is how far a log was read. Which log that was is told by its inode,
// where the system has such numbers, and by its first bytes: a log that was cut and
// has grown again keeps the one, and a new log may get the other's number.
type place struct {
	Inode  uint64 `json:"inode"`
	Offset int64  `json:"offset"`
	Head   int64  `json:"head_bytes"` // how many bytes Sum is of
	Sum    uint64 `json:"head_fnv1a"`

	left int64 // bytes that one run was too short for
}

// The most that a run reads of a file, and the longest line; a longer one counts as several.
const (
	maxRun  = 8 << 20
	maxLine = 64 << 10
	maxHead = 1 << 10
)

// recall reads a place; nil if there is none yet.
func recall(file string) (*place, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, guest.Explain(file, err)
	}
	var p place
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("%s: %w; remove it to begin anew", file, err)
	}
	return &p, nil
}

// remember writes a place; a reader finds the old one or the new one.
func (p place) remember(file string) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	draft := file + ".new"
	if err := os.WriteFile(draft, data, 0o600); err != nil {
		return guest.Explain(draft, err)
	}
	return guest.Explain(file, os.Rename(draft, file))
}

// end is the place at the end of a log.
func end(file string) (place, error) {
	f, err := os.Open(file)
	if err != nil {
		return place{}, guest.Explain(file, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return place{}, err
	}
	return mark(f, info.Size())
}

// mark is the place at an offset of an open log.
func mark(f *os.File, offset int64) (place, error) {
	info, err := f.Stat()
	if err != nil {
		return place{}, err
	}
	p := place{Inode: inode(info), Offset: offset, Head: min(offset, maxHead)}
	p.Sum, err = sum(f, p.Head)
	return p, err
}

// sum is the FNV-1a hash of the first bytes of a file.
func sum(f *os.File, n int64) (uint64, error) {
	head := fnv.New64a()
	_, err := io.Copy(head, io.NewSectionReader(f, 0, n))
	return head.Sum64(), err
}

// in tells whether this is a place in an open log; in one that was rotated, even
// if the rotation made a copy of the log.
func (p place) in(f *os.File, rotated bool) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() < p.Offset {
		return false, err
	}
	if inode(info) != p.Inode && !(rotated && p.Head > 0) {
		return false, nil
	}
	head, err := sum(f, p.Head)
	return head == p.Sum, err
}

// read hands over each line that a log got since a place, and returns the place
// that it came to. If the log was rotated it begins with the rest of the old one.
func read(file string, p place, line func([]byte)) (place, error) {
	f, err := os.Open(file)
	if err != nil {
		return place{}, guest.Explain(file, err)
	}
	defer f.Close()
	same, err := p.in(f, false)
	if err != nil {
		return place{}, err
	}
	if same {
		return follow(f, p.Offset, false, line)
	}
	old, err := rest(file+".1", p, line)
	if err != nil || old.left > 0 {
		return old, err
	}
	return follow(f, 0, false, line)
}

// rest reads what a log got last before it was rotated. Where it is not found,
// that is lost.
func rest(file string, p place, line func([]byte)) (place, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return place{}, nil
	}
	if err != nil {
		return place{}, guest.Explain(file, err)
	}
	defer f.Close()
	if same, err := p.in(f, true); err != nil || !same {
		return place{}, err
	}
	return follow(f, p.Offset, true, line)
}

// follow reads the lines from an offset on, of maxRun bytes at most. A last line
// without an end counts only if the log is over.
func follow(f *os.File, offset int64, over bool, line func([]byte)) (place, error) {
	info, err := f.Stat()
	if err != nil {
		return place{}, err
	}
	size := min(info.Size()-offset, maxRun)
	over = over && offset+size == info.Size()
	lines := bufio.NewReaderSize(io.NewSectionReader(f, offset, size), maxLine)
	for err == nil {
		var text []byte
		text, err = lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			err = nil
		}
		if err == nil || over && len(text) > 0 {
			offset += int64(len(text))
			line(bytes.TrimRight(text, "\r\n"))
		}
	}
	if !errors.Is(err, io.EOF) {
		return place{}, err
	}
	p, err := mark(f, offset)
	if size == maxRun {
		p.left = info.Size() - offset
	}
	return p, err
}
