package hostkey

import (
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// glance is how long files are taken to be as they were.
const glance = time.Second

// A watched value is made of files, and made again when they have changed.
type watched[T any] struct {
	files []string
	load  func() (T, error)
	log   *slog.Logger

	mu    sync.Mutex
	value T
	seen  []fs.FileInfo // of the files, nil of one that is missing
	next  time.Time     // when to look again
}

// watch makes the value for the first time.
func watch[T any](log *slog.Logger, load func() (T, error), files ...string) (*watched[T], error) {
	w := &watched[T]{files: files, load: load, log: log}
	w.seen = w.look() // before the files are read: what changes meanwhile is noticed
	var err error
	w.value, err = load()
	return w, err
}

func (w *watched[T]) look() []fs.FileInfo {
	seen := make([]fs.FileInfo, len(w.files))
	for i, name := range w.files {
		seen[i], _ = os.Stat(name)
	}
	return seen
}

// current is the value of the files that could be used last. A value that cannot
// be made is logged, and not tried again before the files have changed.
func (w *watched[T]) current() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if now.Before(w.next) {
		return w.value
	}
	w.next = now.Add(glance)
	seen := w.look()
	if slices.EqualFunc(seen, w.seen, same) {
		return w.value
	}
	w.seen = seen
	value, err := w.load()
	if err != nil {
		w.log.Error("new certificates cannot be used, and the old ones stay", "files", w.files, "error", err)
		return w.value
	}
	w.value = value
	w.log.Info("new certificates are used", "files", w.files)
	return value
}

// same tells whether a file is the one that it was, with the same contents as far
// as can be seen.
func same(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
