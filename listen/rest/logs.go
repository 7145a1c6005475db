package rest

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"
	"time"
)

// The bounds of Logs.
const (
	maxLogs     = 1000
	maxLogBytes = 1 << 20
	maxMessage  = 4 << 10 // bytes of one message; a longer one is cut
)

// Logs keeps the end of the agent's log in memory: the last 1000 records, and at
// most 1 MiB of them. It is safe for concurrent use.
type Logs struct {
	mu        sync.Mutex
	records   ring[logRecord]
	last      uint64 // index of the newest record
	errors    int    // since the status was reset
	lastError string
}

// A logRecord is one record; indexes count from 1.
type logRecord struct {
	index   uint64
	time    time.Time
	level   slog.Level
	file    string
	line    int
	message string
}

// NewLogs returns Logs without records.
func NewLogs() *Logs {
	return &Logs{records: ring[logRecord]{keep: maxLogs, size: maxLogBytes}}
}

// Handler returns a handler that gives each record to next, and keeps those that
// next is enabled for.
func (l *Logs) Handler(next slog.Handler) slog.Handler { return logHandler{next: next, logs: l} }

func (l *Logs) add(r logRecord) {
	if len(r.message) > maxMessage {
		r.message = strings.ToValidUTF8(r.message[:maxMessage], "") + "..."
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	r.index = l.last
	l.records.add(r, len(r.message)+len(r.file))
	if r.level >= slog.LevelError {
		l.errors++
		l.lastError = r.message
	}
}

// list are the records of which wanted is true, the oldest first.
func (l *Logs) list(wanted func(logRecord) bool) []logRecord {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.records.list(wanted)
}

// status is how many errors there were, and the last of them.
func (l *Logs) status() (errors int, last string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.errors, l.lastError
}

// reset forgets the errors, and the records as well if all is set.
func (l *Logs) reset(all bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errors, l.lastError = 0, ""
	if all {
		l.records.clear()
	}
}

// A logHandler keeps what it hands on.
type logHandler struct {
	next  slog.Handler
	logs  *Logs
	group string // what the names of attributes begin with
	attrs string // those that every record has, as text
}

func (h logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message + h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		writeAttr(&b, h.group, a)
		return b.Len() <= maxMessage
	})
	kept := logRecord{time: r.Time, level: r.Level, message: b.String()}
	if r.PC != 0 {
		frame, _ := goruntime.CallersFrames([]uintptr{r.PC}).Next()
		kept.file, kept.line = filepath.Base(frame.File), frame.Line
	}
	h.logs.add(kept)
	return h.next.Handle(ctx, r)
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		writeAttr(&b, h.group, a)
	}
	h.attrs += b.String()
	h.next = h.next.WithAttrs(attrs)
	return h
}

func (h logHandler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.group += name + "."
	}
	h.next = h.next.WithGroup(name)
	return h
}

// writeAttr writes " name=value", and of a group each of its attributes.
func writeAttr(b *strings.Builder, group string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() != slog.KindGroup {
		fmt.Fprintf(b, " %s%s=%v", group, a.Key, v)
		return
	}
	if a.Key != "" {
		group += a.Key + "."
	}
	for _, a := range v.Group() {
		writeAttr(b, group, a)
	}
}
