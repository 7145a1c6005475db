package main

import (
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/term"
)

// A progress shows on a terminal what is being waited for, on one line that
// goes away. Elsewhere it shows nothing. It is safe for concurrent use.
type progress struct {
	w io.Writer // nil shows nothing

	lock  sync.Mutex
	tasks []string
}

// newProgress shows progress on w if that is a terminal.
func newProgress(w io.Writer) *progress {
	if isTerminal(w) {
		return &progress{w: w}
	}
	return &progress{}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// of returns a function that shows a task of this kind on a program until it is
// done.
func (p *progress) of(kind string) func(name string) (done func()) {
	return func(name string) func() {
		task := kind + " " + strings.TrimSuffix(path.Base(name), ".wasm")
		p.change(func() { p.tasks = append(p.tasks, task) })
		return func() {
			p.change(func() {
				i := slices.Index(p.tasks, task)
				p.tasks = slices.Delete(p.tasks, i, i+1)
			})
		}
	}
}

// arriving shows how much of a module has arrived until it is done.
func (p *progress) arriving(name string) (arrived func(done, size int64), done func()) {
	task := "fetching " + name
	shown := task
	end := p.of("fetching")(name)
	show := func(next string) {
		if p.w != nil && next != shown {
			p.change(func() { p.tasks[slices.Index(p.tasks, shown)] = next })
			shown = next
		}
	}
	arrived = func(done, size int64) {
		text := fmt.Sprintf("%s, %.1f MiB", task, float64(done)/(1<<20))
		if size > 0 {
			text += fmt.Sprintf(" of %.1f", float64(size)/(1<<20))
		}
		show(text)
	}
	return arrived, func() {
		show(task)
		end()
	}
}

// maxLine is how much of the tasks is shown, for one line must hold it.
const maxLine = 72

// change changes the tasks and shows them.
func (p *progress) change(edit func()) {
	p.lock.Lock()
	defer p.lock.Unlock()
	edit()
	if p.w == nil {
		return
	}
	line := strings.Join(p.tasks, ", ")
	if len(line) > maxLine {
		line = fmt.Sprintf("%.*s... (%d)", maxLine, line, len(p.tasks))
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s", line)
}
