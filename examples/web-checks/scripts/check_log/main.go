// check_log counts the lines of a log that match a pattern and are new since its
// last run. Its options follow the Monitoring Plugins' check_log; so does the first
// run, which reads nothing and is OK.
//
//	check_log -F /files/log/NAME -q PATTERN [--exclude PATTERN] [-w RANGE] [-c RANGE] [-O NAME] [-a]
//
// It survives the rotation of the log: what the old file got after the last run is
// read first, from NAME.1 beside it, and then the new file from its start. A log
// that was cut to nothing where it stood is read from its start.
//
// A run reads at most 8 MiB of a file; what is more is left for the next. A line
// that is still being written, without an end, waits for the next run as well.
//
// It needs the permissions "/files/log/**" and "/state/**".
package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"path"
	"regexp"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/guest"
)

// watch is what the command line says.
type watch struct {
	file, memory string
	wanted       *regexp.Regexp
	unwanted     *regexp.Regexp
	limits       guest.Thresholds
	all          bool
}

func main() {
	w := &watch{limits: guest.Thresholds{Crit: &check.Range{}}}
	guest.Plugin{
		Name:    "check_log",
		Version: "1.0.0",
		About:   "counts the new lines of a log that match a pattern",
		Usage:   "-F FILE -q PATTERN [--exclude PATTERN] [-w RANGE] [-c RANGE] [-O NAME] [-a]",
		Options: append(w.limits.Options("number of new lines that match (default: -c 0)"), []guest.Option{
			{Short: 'F', Long: "filename", Argument: "FILE", Help: "the log, below /files", Set: guest.Into(&w.file, guest.Text)},
			{Short: 'O', Long: "oldlog", Argument: "NAME", Help: "where to keep what was read, below /state (default: made of the file and the patterns)", Set: guest.Into(&w.memory, guest.Text)},
			{Short: 'q', Long: "query", Argument: "PATTERN", Help: "a regular expression, https://golang.org/s/re2syntax", Set: guest.Into(&w.wanted, regexp.Compile)},
			{Long: "exclude", Argument: "PATTERN", Help: "lines that match this do not count", Set: guest.Into(&w.unwanted, regexp.Compile)},
			{Short: 'e', Long: "extended-regex", Help: "does nothing: the patterns are extended ones", Set: guest.True(new(bool))},
			{Short: 'p', Long: "perl-regex", Help: "does nothing: the patterns are much like Perl's", Set: guest.True(new(bool))},
			{Short: 'a', Long: "all", Help: "show the lines, not the last alone", Set: guest.True(&w.all)},
		}...),
		Check: w.check,
	}.Main()
}

func (w *watch) check(context.Context) (check.Result, error) {
	if w.file == "" || w.wanted == nil {
		return check.Result{}, errors.New("which lines of which log? give -F FILE and -q PATTERN")
	}
	memory := w.remembered()
	before, err := recall(memory)
	if err != nil {
		return check.Result{}, err
	}
	if before == nil {
		now, err := end(w.file)
		if err != nil {
			return check.Result{}, err
		}
		return check.Result{State: check.StateOK, Text: "log check data initialized"}, now.remember(memory)
	}
	found := matches{watch: w}
	after, err := read(w.file, *before, found.line)
	if err != nil {
		return check.Result{}, err
	}
	if err := after.remember(memory); err != nil {
		return check.Result{}, err
	}
	return found.result(after.left), nil
}

// remembered is the file below /state; each log and pattern has its own.
func (w *watch) remembered() string {
	if w.memory != "" {
		return path.Join("/state", path.Base(w.memory))
	}
	sum := fnv.New64a()
	fmt.Fprintf(sum, "%q %q %q", w.file, w.wanted, w.unwanted)
	return fmt.Sprintf("/state/check_log-%x.json", sum.Sum64())
}

// matches are the lines that count.
type matches struct {
	*watch
	count int
	lines []string // the last ones
}

// What is shown of the lines.
const (
	shownLines = 50
	shownBytes = 500
)

// line takes one line of the log.
func (m *matches) line(line []byte) {
	if !m.wanted.Match(line) || m.unwanted != nil && m.unwanted.Match(line) {
		return
	}
	m.count++
	m.lines = append(m.lines, string(line[:min(len(line), shownBytes)]))
	if !m.all || len(m.lines) > shownLines {
		m.lines = m.lines[max(0, len(m.lines)-m.shown()):]
	}
}

func (m *matches) shown() int {
	if m.all {
		return shownLines
	}
	return 1
}

// result is the answer, where some bytes are left for the next run.
func (m *matches) result(left int64) check.Result {
	r := check.Result{
		State: m.limits.State(float64(m.count)),
		Text:  fmt.Sprintf("%d pattern matches found", m.count),
		Perf:  []check.Perf{m.limits.Perf("lines", float64(m.count), "")},
	}
	if m.count > 0 {
		r.Text = fmt.Sprintf("(%d) %s", m.count, m.lines[len(m.lines)-1])
	}
	if left > 0 {
		r.Text += fmt.Sprintf(" (%d bytes are left for the next run)", left)
	}
	if m.all {
		r.Long = strings.Join(m.lines, "\n")
	}
	return r
}
