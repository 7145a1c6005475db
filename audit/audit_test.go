package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wasmagent/wasmagent/audit"
)

// lines reads a log.
func lines(t testing.TB, files ...string) (list []audit.Line) {
	t.Helper()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var l audit.Line
			d := json.NewDecoder(strings.NewReader(line))
			d.DisallowUnknownFields()
			if err := d.Decode(&l); err != nil || !strings.HasSuffix(line, "}\n") {
				t.Fatalf("line %q: %v", line, err)
			}
			list = append(list, l)
		}
	}
	return list
}

func newLog(t testing.TB) (l *audit.Log, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "made", "audit.log")
	return audit.New(audit.Config{File: file}), file
}

func TestWrite(t *testing.T) {
	t.Parallel()
	l, file := newLog(t)
	want := []audit.Line{
		{Event: audit.Refused, Module: "web", Digest: "00ff", Command: "check_x", Path: "/dev/tcp/a/1", Why: "no grant"},
		{Event: audit.Restricted, Module: "web", Version: "1.2", Loaded: new(false), Uncovered: []string{"/a", "/b"}, New: []string{"/b"}},
		{Event: audit.Granted, Module: "web", Grants: []string{"/host/**"}},
		{Event: audit.Untrusted, Module: "web", Why: "it is not signed"},
		{Event: audit.Told, Module: "web", Action: "upload", User: "admin", By: "password", Peer: "192.0.2.1", Done: new(false), Why: "it is not signed"},
	}
	before := time.Now().Truncate(time.Millisecond)
	for _, line := range want {
		l.Write(line)
	}
	got := lines(t, file)
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
	for i, line := range got {
		at, err := time.Parse("2006-01-02T15:04:05.000Z", line.Time)
		if err != nil || at.Before(before) || at.After(time.Now()) {
			t.Errorf("time %q: %v", line.Time, err)
		}
		if line.Time = ""; !reflect.DeepEqual(line, want[i]) {
			t.Errorf("line %d:\n got %+v\nwant %+v", i, line, want[i])
		}
	}
}

// TestNil wants nothing of what writes nothing.
func TestNil(t *testing.T) {
	t.Parallel()
	var l *audit.Log
	l.Write(audit.Line{Event: audit.Granted})
	r := l.Run("m", "d", "c")
	r.Refused("/p", "w")
	r.Close()
}

// hostile are texts that a module may make up.
var hostile = []string{
	"", "plain", "a\nb\r\n", `"},{"`, "\x00\x1b[2J\x7f", "\u009b31m", "\u2028\u2029\u202e", "\xff\xfe", "\U000e0001\U0001f600", "é\u00a0&<>",
	strings.Repeat("x", 5000), strings.Repeat("é", audit.MaxText), strings.Repeat("\x80", 5000), strings.Repeat("\x01", 5000),
}

// checkText wants a text to have come back as far as there is room for it.
func checkText(t *testing.T, got, sent string) {
	t.Helper()
	sent = strings.ToValidUTF8(sent, "")
	got = strings.ReplaceAll(got, string(utf8.RuneError), "")
	sent = strings.ReplaceAll(sent, string(utf8.RuneError), "")
	if got != sent && !strings.HasPrefix(sent, strings.TrimSuffix(got, "...")) {
		t.Errorf("%q came back as %q", sent, got)
	}
}

func FuzzText(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	l, file := newLog(f)
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.RemoveAll(file); err != nil {
			t.Fatal(err)
		}
		l.Write(audit.Line{Event: audit.Restricted, Module: text, Version: text, New: []string{text}})
		r := l.Run(text, text, text)
		r.Refused(text, text)
		r.Close()
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if i := strings.IndexFunc(string(raw), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("a terminal is sent %q", raw[i:min(i+10, len(raw))])
		}
		got := lines(t, file)
		if len(got) != 2 {
			t.Fatalf("%d lines, want 2", len(got))
		}
		for _, back := range []string{got[0].Module, got[0].Version, got[0].New[0], got[1].Digest, got[1].Command, got[1].Path, got[1].Why} {
			checkText(t, back, text)
			if len(back) > 3*audit.MaxText+len("...") { // a byte that is no character takes three
				t.Errorf("a text of %d bytes came through", len(back))
			}
		}
	})
}

func TestLongList(t *testing.T) {
	t.Parallel()
	l, file := newLog(t)
	l.Write(audit.Line{Event: audit.Restricted, Uncovered: make([]string, audit.MaxList+7), New: make([]string, audit.MaxList)})
	if got := lines(t, file)[0]; len(got.Uncovered) != audit.MaxList || len(got.New) != audit.MaxList || got.More != 7 {
		t.Errorf("%d and %d texts, %d more; want %[4]d, %[4]d and 7", len(got.Uncovered), len(got.New), got.More, audit.MaxList)
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	l, file := newLog(t)
	r := l.Run("web", "00ff", "check_x")
	var group sync.WaitGroup
	for i := range 3 * audit.MaxRun {
		group.Go(func() { r.Refused(fmt.Sprintf("/host/%d", i/2), "no grant") })
	}
	group.Wait()
	r.Close()
	r.Close()
	got := lines(t, file)
	if len(got) != audit.MaxRun+1 {
		t.Fatalf("%d lines, want %d and one for the others", len(got), audit.MaxRun)
	}
	seen := map[string]bool{}
	for _, line := range got[:audit.MaxRun] {
		if seen[line.Path] || line.Event != audit.Refused || line.Module != "web" || line.Digest != "00ff" || line.Command != "check_x" || line.More != 0 {
			t.Errorf("line %+v", line)
		}
		seen[line.Path] = true
	}
	if last := got[audit.MaxRun]; last.More < audit.MaxRun/2 || last.Path != "" || last.Module != "web" {
		t.Errorf("the last line is %+v", last)
	}
}

// TestFailure wants a log that cannot be written to say so once, and to go on.
func TestFailure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"", dir, filepath.Join(dir, "file", "audit.log")} {
		var heard bytes.Buffer
		l := audit.New(audit.Config{File: file, Log: slog.New(slog.NewTextHandler(&heard, nil))})
		l.Write(audit.Line{Event: audit.Granted})
		l.Write(audit.Line{Event: audit.Granted})
		if strings.Count(heard.String(), "the audit log cannot be written") != 1 {
			t.Errorf("file %q: heard %q", file, heard.String())
		}
	}
}
