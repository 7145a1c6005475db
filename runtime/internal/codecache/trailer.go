package codecache

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// A trailer ends an entry: the file's name in the draft that it was, which is empty for
// what was in none, the length of that in two bytes, the low one first, and the SHA-256
// of the key, a line feed, and all that comes before.
type trailer struct {
	name string
	sum  [sha256.Size]byte
}

func (t trailer) size() int { return len(t.name) + fixed }

// fixed is the size of a trailer without a name.
const fixed = 2 + sha256.Size

// seal ends a file, which becomes the entry under key.
func seal(f *os.File, key, name string) error {
	if len(name) > 1<<16-1 {
		return fmt.Errorf("the name of %d bytes is too long", len(name))
	}
	sum := sha256.New()
	fmt.Fprintln(sum, key)
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	end := binary.LittleEndian.AppendUint16([]byte(name), uint16(len(name)))
	sum.Write(end)
	_, err := f.Write(sum.Sum(end))
	return err
}

// verify reads an entry and compares it with its checksum.
func verify(key string, r io.ReaderAt, size int64) (t trailer, err error) {
	if size < fixed {
		return t, errors.New("it is too short")
	}
	var end [fixed]byte
	if _, err := r.ReadAt(end[:], size-fixed); err != nil {
		return t, err
	}
	name := make([]byte, binary.LittleEndian.Uint16(end[:]))
	if int64(len(name)) > size-fixed {
		return t, errors.New("it is too short for its name")
	}
	if _, err := r.ReadAt(name, size-fixed-int64(len(name))); err != nil {
		return t, err
	}
	t.name, t.sum = string(name), [sha256.Size]byte(end[2:])
	sum := sha256.New()
	fmt.Fprintln(sum, key)
	if _, err := io.Copy(sum, io.NewSectionReader(r, 0, size-sha256.Size)); err != nil {
		return t, err
	}
	if subtle.ConstantTimeCompare(sum.Sum(nil), t.sum[:]) != 1 {
		return t, errors.New("the checksum is wrong")
	}
	return t, nil
}
