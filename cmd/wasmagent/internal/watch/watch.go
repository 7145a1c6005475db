// Package watch tells when files have changed and are still.
//
// The system tells what happens in directories; what has changed is seen by looking
// at the files. So it does not matter how a file was changed: written in place, put
// in the place of another one, reached by a link that leads elsewhere now, made or
// removed. A file that is being written is waited for: it has to look the same twice,
// a while apart.
//
// Guarantees: changes are told once for any number of them. At most MaxDirectories
// are watched and MaxFiles looked at, whatever is in them.
//
// A Watch is safe for concurrent use.
package watch

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// The bounds of one Watch.
const (
	MaxDirectories = 512
	MaxFiles       = 16384
)

// A Watch looks at files.
type Watch struct {
	log     *slog.Logger
	system  *fsnotify.Watcher
	changed chan struct{}
	ended   sync.WaitGroup

	mu     sync.Mutex
	told   sight // of the time when a change was told, or Set was called
	failed map[string]bool
}

// New returns a Watch of nothing. Files are still when they look the same for a
// time of settle.
func New(settle time.Duration, log *slog.Logger) (*Watch, error) {
	system, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	w := &Watch{log: log, system: system, changed: make(chan struct{}, 1), failed: map[string]bool{}}
	events := make(chan struct{}, 1)
	w.ended.Go(func() { w.listen(events) })
	w.ended.Go(func() { await(events, settle, w.look, w.tell) })
	return w, nil
}

// Changed has a value when files have changed and are still.
func (w *Watch) Changed() <-chan struct{} { return w.changed }

// Set watches these files and directories, with all that is below them, in the place
// of those before. One that does not exist is waited for. How those look that were
// not watched is as it is now.
func (w *Watch) Set(paths []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := lookAt(paths)
	for path, before := range w.told {
		if _, stays := now[path]; stays {
			now[path] = before
		}
	}
	w.told = now
	w.follow()
}

// Expect has a change of a watched file go untold, which whoever made it knows of:
// if ours is true after a look at the file, it looks as it should.
func (w *Watch) Expect(path string, ours func() bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := lookAt([]string{path})[path]
	if _, watched := w.told[path]; watched && ours() { // what comes after the look is told
		w.told[path] = now
	}
}

// Close ends the watching.
func (w *Watch) Close() {
	w.system.Close()
	w.ended.Wait()
}

// follow has the system tell of the directories of all files. w.mu is held.
func (w *Watch) follow() {
	want := map[string]bool{}
	for _, dir := range directories(slices.Collect(maps.Keys(w.told))) {
		want[dir] = true
	}
	for _, dir := range w.system.WatchList() {
		if !want[dir] {
			_ = w.system.Remove(dir) // it may be gone
		}
	}
	for dir := range want {
		if err := w.system.Add(dir); err != nil && !w.failed[dir] {
			w.failed[dir] = true
			w.log.Warn("changes of files in a directory are not noticed", "directory", dir, "error", err)
		}
	}
}

// listen passes on that something has happened, whatever it is, until the system's
// watcher is closed.
func (w *Watch) listen(events chan<- struct{}) {
	defer close(events)
	for {
		select {
		case _, open := <-w.system.Events:
			if !open {
				return
			}
		case _, open := <-w.system.Errors: // it has lost count, which is to be looked at
			if !open {
				return
			}
		}
		select {
		case events <- struct{}{}:
		default:
		}
	}
}

// look tells how the files look, and whether that is another look than was told.
func (w *Watch) look() (now sight, news bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.follow() // before looking: into a directory that was made
	now = lookAt(slices.Collect(maps.Keys(w.told)))
	return now, !now.equal(w.told)
}

// tell tells of a look.
func (w *Watch) tell(now sight) {
	w.mu.Lock()
	w.told = now
	w.mu.Unlock()
	select {
	case w.changed <- struct{}{}:
	default:
	}
}
