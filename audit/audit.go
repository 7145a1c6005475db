// Package audit keeps the audit log: what modules were refused, and what was
// granted to whom. It is a file of its own, of JSON documents one a line, for
// people and for what collects logs.
//
// Guarantees:
//
//   - The file is one that several processes can write to, that no text of a line
//     gets out of, and that is rotated: see internal/journal.
//   - Whatever a module controls is bounded: the length of a text, the number of
//     texts in a list, and the lines of one run.
//   - A line that cannot be written never stops what it is about.
//
// A Log and a Run are safe for concurrent use. The package imports only the
// standard library.
package audit

import (
	"cmp"
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/wasmagent/wasmagent/internal/journal"
)

// The bounds of one line, and of the lines of one run.
const (
	MaxText = 1024 // bytes of a text; a longer one is cut and ends in "..."
	MaxList = 64   // texts of a list; More counts the others
	MaxRun  = 32   // refusals of one run; More counts the others
)

// The kinds of a Line.
const (
	Refused    = "refused"    // a script tried a path that it may not open
	Restricted = "restricted" // a module asks for more than it is granted
	Untrusted  = "untrusted"  // a module was refused for whose it is
	Granted    = "granted"    // a grant was written to the configuration
	Told       = "told"       // somebody told the agent to do something
)

// A Line is one line of the log. What a kind does not need is left out of it.
type Line struct {
	// Time is set by the log: UTC, to the millisecond, as in RFC 3339.
	Time string `json:"time"`
	// Event is the kind of the line.
	Event string `json:"event"`
	// Module is the name of the module, and Digest the SHA-256 of its zip in hex.
	Module string `json:"module"`
	Digest string `json:"digest,omitempty"`
	// Version is the module's own word.
	Version string `json:"version,omitempty"`
	// Command is the alias of the script that was refused Path.
	Command string `json:"command,omitempty"`
	Path    string `json:"path,omitempty"`
	// Why is the reason, for people.
	Why string `json:"why,omitempty"`
	// Loaded is whether a restricted module was loaded all the same.
	Loaded *bool `json:"loaded,omitempty"`
	// Uncovered is what a restricted module asks for and no grant covers; New is
	// what of all that it asks for the version before it did not ask for.
	Uncovered []string `json:"uncovered,omitempty"`
	New       []string `json:"new,omitempty"`
	// Grants are what was granted.
	Grants []string `json:"grants,omitempty"`
	// Action is what the agent was told to do; User who told it, By how that was
	// shown, and Peer from which address. Done is whether it was done; Why says why
	// not.
	Action string `json:"action,omitempty"`
	User   string `json:"user,omitempty"`
	By     string `json:"by,omitempty"`
	Peer   string `json:"peer,omitempty"`
	Done   *bool  `json:"done,omitempty"`
	// More is how many refusals of the run, or texts of the lists, were left out.
	More int `json:"more,omitempty"`
}

// Config configures a Log.
type Config struct {
	// File, Size and Keep are the Path, Size and Keep of a journal.Config.
	File string
	Size int64
	Keep int
	// Log hears once of what keeps lines from being written. Nil is slog.Default.
	Log *slog.Logger
}

// A Log writes lines. A nil Log writes nothing.
type Log struct {
	config Config
	file   *journal.File
	warned sync.Once
}

// New returns a Log. Nothing is opened before the first line.
func New(c Config) *Log {
	c.Log = cmp.Or(c.Log, slog.Default())
	return &Log{config: c, file: journal.New(journal.Config{Path: c.File, Size: c.Size, Keep: c.Keep})}
}

// Write writes a line with the time of now.
func (l *Log) Write(line Line) {
	if l == nil {
		return
	}
	line.Time = time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	if err := l.file.Add(line.bounded()); err != nil {
		l.warned.Do(func() {
			l.config.Log.Error("the audit log cannot be written; set path in [audit] of config.toml", "error", err)
		})
	}
}

// bounded is the line with bounded texts.
func (line Line) bounded() Line {
	for _, text := range []*string{&line.Module, &line.Digest, &line.Version, &line.Command, &line.Path, &line.Why, &line.Action, &line.User, &line.By, &line.Peer} {
		*text = clipped(*text)
	}
	for _, list := range []*[]string{&line.Uncovered, &line.New, &line.Grants} {
		line.More += max(0, len(*list)-MaxList)
		var texts []string
		for _, text := range (*list)[:min(len(*list), MaxList)] {
			texts = append(texts, clipped(text))
		}
		*list = texts
	}
	return line
}

// clipped cuts a text that is too long.
func clipped(text string) string {
	if len(text) <= MaxText {
		return text
	}
	n := MaxText
	for n > MaxText-utf8.UTFMax && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "..."
}
