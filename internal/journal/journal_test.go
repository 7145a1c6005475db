package journal_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wasmagent/wasmagent/internal/journal"
)

// A document is what the tests write.
type document struct{ Writer, Number, Text string }

// kept lists the files of a journal, the newest last.
func kept(t *testing.T, file string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(file), "events-*.log"))
	if err != nil {
		t.Fatal(err)
	}
	return append(files, file)
}

// documents reads the lines of files.
func documents(t *testing.T, files ...string) (list []document) {
	t.Helper()
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var d document
			if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
				t.Errorf("%s: %q: %v", name, lines.Text(), err)
			}
			list = append(list, d)
		}
	}
	return list
}

func add(t *testing.T, f *journal.File, d document) {
	t.Helper()
	if err := f.Add(d); err != nil {
		t.Error(err)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "events.log")
	strange := filepath.Join(filepath.Dir(file), "events-notes.log")
	if err := os.WriteFile(strange, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := journal.New(journal.Config{Path: file, Size: 1000, Keep: 2})
	for i := range 100 {
		add(t, f, document{Number: fmt.Sprint(i), Text: strings.Repeat("x", 100)})
	}
	if _, err := os.Stat(strange); err != nil {
		t.Errorf("a file that is none of the journal is gone: %v", err)
	}
	files := slices.DeleteFunc(kept(t, file), func(name string) bool { return name == strange })
	if len(files) != 3 {
		t.Fatalf("the files are %q; want 2 and the last", files)
	}
	got := documents(t, files...)
	for i, d := range got {
		if want := fmt.Sprint(100 - len(got) + i); d.Number != want {
			t.Errorf("line %d is %s, want %s", i, d.Number, want)
		}
	}
	for _, name := range files {
		if info, err := os.Stat(name); err != nil || info.Size() > 1000 {
			t.Errorf("%s: %v, %v; want at most 1000 bytes", name, info.Size(), err)
		}
	}
}

// A line that is larger than the file may be is in one all the same, alone.
func TestLineLargerThanTheFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "events.log")
	f := journal.New(journal.Config{Path: file, Size: 10, Keep: 5})
	for range 3 {
		add(t, f, document{Text: "longer than that"})
	}
	if files := kept(t, file); len(files) != 3 || len(documents(t, files...)) != 3 {
		t.Errorf("the files are %q", files)
	}
}

// Several files write to one path, as several processes do, and no line is lost.
func TestSeveralWriters(t *testing.T) {
	t.Parallel()
	const each = 50
	file := filepath.Join(t.TempDir(), "events.log")
	var group sync.WaitGroup
	for writer := range 4 {
		f := journal.New(journal.Config{Path: file, Size: 2000, Keep: 1000})
		group.Go(func() {
			for i := range each {
				add(t, f, document{Writer: fmt.Sprint(writer), Number: fmt.Sprint(i)})
			}
		})
	}
	group.Wait()
	written := map[string]int{}
	for _, d := range documents(t, kept(t, file)...) {
		written[d.Writer]++
	}
	for writer := range 4 {
		if got := written[fmt.Sprint(writer)]; got != each {
			t.Errorf("writer %d has %d lines, want %d", writer, got, each)
		}
	}
}

// No text ends its line, and none controls a terminal.
func TestTextsStayTexts(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "events.log")
	f := journal.New(journal.Config{Path: file})
	text := "a\nb\r\x1b[31m\u009b\u202e\u2028\U000e0041 é 日本 <&>"
	add(t, f, document{Text: text})
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"Writer":"","Number":"","Text":"a\nb\r\u001b[31m\u009b\u202e\u2028\udb40\udc41 é 日本 <&>"}` + "\n"; string(written) != want {
		t.Errorf("the line is %q, want %q", written, want)
	}
	if got := documents(t, file); len(got) != 1 || got[0].Text != text {
		t.Errorf("it is read as %q", got)
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for about, f := range map[string]*journal.File{
		"no path":     journal.New(journal.Config{}),
		"a directory": journal.New(journal.Config{Path: dir}),
	} {
		if err := f.Add(document{}); err == nil {
			t.Errorf("%s: no error", about)
		}
	}
	if err := journal.New(journal.Config{Path: filepath.Join(dir, "x")}).Add(func() {}); err == nil {
		t.Error("a func is a document")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v are left", entries, err)
	}
}
