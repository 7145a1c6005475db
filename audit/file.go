package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// append writes a line to the end of the file. The file is opened for each line:
// lines are few, and another process may have set the file aside.
func (l *Log) append(line []byte) error {
	if l.config.File == "" {
		return errors.New("no place for it is known")
	}
	rotated := l.rotate(int64(len(line)))
	if err := checkRegular(l.config.File); err != nil {
		return err
	}
	f, err := os.OpenFile(l.config.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(line)
	return errors.Join(rotated, err, f.Close())
}

// checkRegular refuses what there may be in the place of the file: opening a
// pipe would wait for a reader.
func checkRegular(file string) error {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return os.MkdirAll(filepath.Dir(file), 0o700)
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: is no regular file", file)
	}
	return err
}

// rotate sets the file aside if n more bytes are too many, under a name that
// nobody else uses: who sets aside what another process has just begun makes a
// short file, and no line is lost.
func (l *Log) rotate(n int64) error {
	info, err := os.Stat(l.config.File)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 || info.Size()+n <= l.config.Size {
		return nil
	}
	before, after := l.around()
	aside := before + time.Now().UTC().Format(stamp) + after
	if err := os.Rename(l.config.File, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return l.prune()
}

// around is what stands before and behind the time in the name of a file that
// was set aside: "audit-" and ".log" for "audit.log".
func (l *Log) around() (before, after string) {
	after = filepath.Ext(l.config.File)
	return strings.TrimSuffix(l.config.File, after) + "-", after
}

// stamp is how that time is written: the names sort by it.
const stamp = "20060102T150405.000000000Z"

// prune removes the oldest files that were set aside, beyond those to keep.
func (l *Log) prune() error {
	dir := filepath.Dir(l.config.File)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	before, after := l.around()
	var names []string // the oldest first, as ReadDir sorts them
	for _, e := range entries {
		middle, ok := strings.CutPrefix(e.Name(), filepath.Base(before))
		if middle, isOurs := strings.CutSuffix(middle, after); ok && isOurs && isStamp(middle) {
			names = append(names, e.Name())
		}
	}
	var errs []error
	for _, name := range names[:max(0, len(names)-l.config.Keep)] {
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
