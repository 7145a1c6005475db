package main

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/journal"
)

func TestRecordSaysWhatIsLost(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "log")
	file := filepath.Join(dir, "events.log")
	var log bytes.Buffer
	r := newRecorder(journal.New(journal.Config{Path: file}), slog.New(slog.NewTextHandler(&log, nil)))
	event := func(number uint64) check.Event {
		return check.Event{Number: number, Time: time.Unix(int64(number), 0).UTC(), Request: check.Request{Command: "c", Args: []string{"secret"}}, Result: check.Result{Text: "\x1b[31m"}}
	}
	for _, number := range []uint64{5, 6, 9} {
		r.record(event(number))
	}
	// What is no directory keeps events from being written.
	if err := errors.Join(os.Rename(dir, dir+".aside"), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	r.record(event(10))
	r.record(event(12))
	if err := errors.Join(os.Remove(dir), os.Rename(dir+".aside", dir)); err != nil {
		t.Fatal(err)
	}
	r.record(event(13))

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		got = append(got, regexp.MustCompile(`"number":\d+|"lost":\d+`).FindString(line))
	}
	if want := `"number":5 "number":6 "lost":2 "number":9 "lost":3 "number":13`; strings.Join(got, " ") != want {
		t.Errorf("the lines are %v, want %s", got, want)
	}
	if strings.Contains(string(text), "secret") || strings.Contains(string(text), "\x1b") {
		t.Errorf("the file holds %q", text)
	}
	if n := strings.Count(log.String(), "events cannot be written"); n != 1 {
		t.Errorf("the log says it %d times: %s", n, log.String())
	}
}
