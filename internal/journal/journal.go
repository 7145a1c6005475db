// Package journal keeps JSON documents in a file, one a line, for people and for
// what collects logs.
//
// Guarantees:
//
//   - Each document is one write to the end of the file, so that several processes
//     can write to one file.
//   - No text in a document ends its line or leaves its string, and none reaches a
//     terminal as a control character.
//   - The file is rotated by size, and a bounded number of old ones is kept. No
//     line is lost by that, whoever rotates.
//
// A File is safe for concurrent use.
package journal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf16"
)

// The defaults of a Config.
const (
	DefaultSize = 10 << 20
	DefaultKeep = 5
)

// Config configures a File.
type Config struct {
	// Path is where the lines go. The file is made for the agent's user alone when
	// there is a first line, with its directory.
	Path string
	// Size is how many bytes the file may grow to before it is set aside; zero is
	// DefaultSize.
	Size int64
	// Keep is how many files that were set aside are kept; zero is DefaultKeep.
	Keep int
}

// A File is a file of lines.
type File struct {
	config  Config
	writing sync.Mutex
}

// New returns a File. Nothing is opened before the first line.
func New(c Config) *File {
	c.Size, c.Keep = cmp.Or(c.Size, DefaultSize), cmp.Or(c.Keep, DefaultKeep)
	return &File{config: c}
}

// Add writes a document as a line.
func (f *File) Add(document any) error {
	line, err := encode(document)
	if err != nil {
		return err
	}
	f.writing.Lock()
	defer f.writing.Unlock()
	return f.append(line)
}

// encode writes a document in one line.
func encode(document any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(document)
	return printable(b.Bytes()), err
}

// printable escapes the characters of a JSON document that a terminal would not
// print: outside of its strings there are none but the line break at its end.
func printable(document []byte) []byte {
	var b strings.Builder
	for _, r := range string(document) {
		switch high, low := utf16.EncodeRune(r); {
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		case high == unicode.ReplacementChar:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
	}
	return []byte(b.String())
}

// append writes a line to the end of the file. The file is opened for each line:
// another process may have set it aside.
func (f *File) append(line []byte) error {
	if f.config.Path == "" {
		return errors.New("no place for it is known")
	}
	rotated := f.rotate(int64(len(line)))
	if err := checkRegular(f.config.Path); err != nil {
		return err
	}
	file, err := os.OpenFile(f.config.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(line)
	return errors.Join(rotated, err, file.Close())
}

// checkRegular refuses what there may be in the place of the file: opening a
// pipe would wait for a reader.
func checkRegular(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: is no regular file", path)
	}
	return err
}

// rotate sets the file aside if n more bytes are too many, under a name that
// nobody else uses: who sets aside what another process has just begun makes a
// short file, and no line is lost.
func (f *File) rotate(n int64) error {
	info, err := os.Stat(f.config.Path)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 || info.Size()+n <= f.config.Size {
		return nil
	}
	before, after := f.around()
	aside := before + time.Now().UTC().Format(stamp) + after
	if err := os.Rename(f.config.Path, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return f.prune()
}

// around is what stands before and behind the time in the name of a file that
// was set aside: "audit-" and ".log" for "audit.log".
func (f *File) around() (before, after string) {
	after = filepath.Ext(f.config.Path)
	return strings.TrimSuffix(f.config.Path, after) + "-", after
}

// stamp is how that time is written: the names sort by it.
const stamp = "20060102T150405.000000000Z"

// prune removes the oldest files that were set aside, beyond those to keep.
func (f *File) prune() error {
	dir := filepath.Dir(f.config.Path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	before, after := f.around()
	var names []string // the oldest first, as ReadDir sorts them
	for _, e := range entries {
		middle, ok := strings.CutPrefix(e.Name(), filepath.Base(before))
		if middle, isOurs := strings.CutSuffix(middle, after); ok && isOurs && isStamp(middle) {
			names = append(names, e.Name())
		}
	}
	var errs []error
	for _, name := range names[:max(0, len(names)-f.config.Keep)] {
		if err := os.Remove(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func isStamp(text string) bool {
	_, err := time.Parse(stamp, text)
	return err == nil
}
