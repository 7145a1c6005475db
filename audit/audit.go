// Package audit keeps the audit log: what modules were refused, and what was
// granted to whom. It is a file of its own, of JSON documents one a line, for
// people and for what collects logs.
//
// Guarantees:
//
//   - Each line is one write to the end of the file, so that several processes
//     can write to one file.
//   - Whatever a module controls is bounded: the length of a text, the number of
//     texts in a list, and the lines of one run. No text ends its line, leaves its
//     string, or reaches a terminal as a control character.
//   - The file is rotated by size, and a bounded number of old ones is kept. No
//     line is lost by that, whoever rotates.
//   - A line that cannot be written never stops what it is about.
//
// A Log and a Run are safe for concurrent use. The package imports only the
// standard library.
package audit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// The bounds of one line, and of the lines of one run.
const (
	MaxText = 1024 // bytes of a text; a longer one is cut and ends in "..."
	MaxList = 64   // texts of a list; More counts the others
	MaxRun  = 32   // refusals of one run; More counts the others
)

// The defaults of a Config.
const (
	DefaultSize = 10 << 20
	DefaultKeep = 5
)

// The kinds of a Line.
const (
	Refused    = "refused"    // a script tried a path that it may not open
	Restricted = "restricted" // a module asks for more than it is granted
	Untrusted  = "untrusted"  // a module was refused for whose it is
	Granted    = "granted"    // a grant was written to the configuration
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
	// More is how many refusals of the run, or texts of the lists, were left out.
	More int `json:"more,omitempty"`
}

// Config configures a Log.
type Config struct {
	// File is where the lines go. It is made for the agent's user alone when there
	// is a first line, with its directory.
	File string
	// Size is how many bytes the file may grow to before it is set aside; zero is
	// DefaultSize.
	Size int64
	// Keep is how many files that were set aside are kept; zero is DefaultKeep.
	Keep int
	// Log hears once of what keeps lines from being written. Nil is slog.Default.
	Log *slog.Logger
}

// A Log writes lines. A nil Log writes nothing.
type Log struct {
	config Config

	writing sync.Mutex
	warned  sync.Once
}

// New returns a Log. Nothing is opened before the first line.
func New(c Config) *Log {
	c.Size, c.Keep = cmp.Or(c.Size, DefaultSize), cmp.Or(c.Keep, DefaultKeep)
	c.Log = cmp.Or(c.Log, slog.Default())
	return &Log{config: c}
}

// Write writes a line with the time of now.
func (l *Log) Write(line Line) {
	if l == nil {
		return
	}
	line.Time = time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	text, err := encode(line)
	if err == nil {
		l.writing.Lock()
		err = l.append(text)
		l.writing.Unlock()
	}
	if err != nil {
		l.warned.Do(func() {
			l.config.Log.Error("the audit log cannot be written; set path in [audit] of config.toml", "error", err)
		})
	}
}

// encode makes a line of bounded texts.
func encode(line Line) ([]byte, error) {
	for _, text := range []*string{&line.Module, &line.Digest, &line.Version, &line.Command, &line.Path, &line.Why} {
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
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(line)
	return printable(b.Bytes()), err
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
