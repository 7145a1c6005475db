package main

import (
	"log/slog"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/journal"
)

// A recorder writes events to a file, one a line, and between them how many it
// has missed.
type recorder struct {
	file *journal.File
	log  *slog.Logger
	last uint64 // the number of the last event
	lost uint64 // that are not written, and not said to be
}

func newRecorder(file *journal.File, log *slog.Logger) *recorder {
	return &recorder{file: file, log: log}
}

// A loss is a line in the place of events.
type loss struct {
	Time time.Time `json:"time"` // of the first event after them
	Lost uint64    `json:"lost"`
}

// record writes an event, after those that are missing since the last one. One that
// cannot be written is missing too. It is not safe for concurrent use.
func (r *recorder) record(e check.Event) {
	if r.last > 0 {
		r.lost += e.Number - r.last - 1
	}
	r.last = e.Number
	err := r.own(e.Time)
	if err == nil {
		err = r.file.Add(e)
	}
	if err == nil {
		return
	}
	if r.lost == 0 {
		r.log.Error("events cannot be written; set path in [events] of config.toml", "error", err)
	}
	r.lost++
}

// own writes how many events are missing, if some are.
func (r *recorder) own(at time.Time) error {
	if r.lost == 0 {
		return nil
	}
	err := r.file.Add(loss{at, r.lost})
	if err == nil {
		r.lost = 0
	}
	return err
}
