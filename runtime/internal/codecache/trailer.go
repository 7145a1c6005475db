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
// of the key, a line feed, and all that comes before. Fixed is its size without the name.
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

// verify reads an entry, compares it with its checksum, and returns the name.
func verify(key string, r io.ReaderAt, size int64) (name string, err error) {
	if size < fixed {
		return "", errors.New("it is too short")
	}
	var end [fixed]byte
	if _, err := r.ReadAt(end[:], size-fixed); err != nil {
		return "", err
	}
	text := make([]byte, binary.LittleEndian.Uint16(end[:]))
	if int64(len(text)) > size-fixed {
		return "", errors.New("it is too short for its name")
	}
	if _, err := r.ReadAt(text, size-fixed-int64(len(text))); err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintln(sum, key)
	if _, err := io.Copy(sum, io.NewSectionReader(r, 0, size-sha256.Size)); err != nil {
		return "", err
	}
	if subtle.ConstantTimeCompare(sum.Sum(nil), end[2:]) != 1 {
		return "", errors.New("the checksum is wrong")
	}
	return string(text), nil
}
