package audit_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wasmagent/wasmagent/audit"
)

// kept lists the files of a log, the newest last.
func kept(t *testing.T, file string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(file), "audit-*.log"))
	if err != nil {
		t.Fatal(err)
	}
	return append(files, file)
}

func TestRotation(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "audit.log")
	strange := filepath.Join(filepath.Dir(file), "audit-notes.log")
	if err := os.WriteFile(strange, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l := audit.New(audit.Config{File: file, Size: 1000, Keep: 2})
	for i := range 100 {
		l.Write(audit.Line{Event: audit.Refused, Path: fmt.Sprint(i), Why: strings.Repeat("x", 100)})
	}
	if _, err := os.Stat(strange); err != nil {
		t.Errorf("a file that is no log is gone: %v", err)
	}
	files := slices.DeleteFunc(kept(t, file), func(name string) bool { return name == strange })
	if len(files) != 3 {
		t.Fatalf("the files are %q; want 2 and the last", files)
	}
	got := lines(t, files...)
	for i, line := range got {
		if want := fmt.Sprint(100 - len(got) + i); line.Path != want {
			t.Errorf("line %d is about %s, want %s", i, line.Path, want)
		}
	}
	for _, name := range files {
		if info, err := os.Stat(name); err != nil || info.Size() > 1000 {
			t.Errorf("%s: %v, %v; want at most 1000 bytes", name, info.Size(), err)
		}
	}
}

// TestLineLargerThanTheFile is never set aside alone: each line is in a file.
func TestLineLargerThanTheFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "audit.log")
	l := audit.New(audit.Config{File: file, Size: 10, Keep: 5})
	for range 3 {
		l.Write(audit.Line{Event: audit.Granted})
	}
	if files := kept(t, file); len(files) != 3 || len(lines(t, files...)) != 3 {
		t.Errorf("the files are %q", files)
	}
}

// TestSeveralWriters has two logs write to one file, as two processes do, and
// wants every line.
func TestSeveralWriters(t *testing.T) {
	t.Parallel()
	const each = 50
	file := filepath.Join(t.TempDir(), "audit.log")
	var group sync.WaitGroup
	for writer := range 4 {
		l := audit.New(audit.Config{File: file, Size: 2000, Keep: 1000})
		group.Go(func() {
			for i := range each {
				l.Write(audit.Line{Event: audit.Refused, Module: fmt.Sprint(writer), Path: fmt.Sprint(i)})
			}
		})
	}
	group.Wait()
	next := map[string]int{}
	for _, line := range lines(t, kept(t, file)...) {
		next[line.Module]++
	}
	for writer := range 4 {
		if got := next[fmt.Sprint(writer)]; got != each {
			t.Errorf("writer %d has %d lines, want %d", writer, got, each)
		}
	}
}

func TestLast(t *testing.T) {
	t.Parallel()
	l, file := newLog(t)
	web := func(line audit.Line) bool { return line.Module == "web" }
	if _, found, err := audit.Last(file, web); found || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no file: %v, %v", found, err)
	}
	for _, version := range []string{"1", "2"} {
		l.Write(audit.Line{Event: audit.Restricted, Module: "web", Version: version})
		l.Write(audit.Line{Event: audit.Restricted, Module: "other", Version: "3"})
		f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("{\"module\":\"web\n\n"); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if last, found, err := audit.Last(file, web); !found || err != nil || last.Version != "2" {
		t.Errorf("the last line is %+v, %v, %v", last, found, err)
	}
	if _, found, err := audit.Last(file, func(l audit.Line) bool { return l.Version == "4" }); found || err != nil {
		t.Errorf("of no such line: %v, %v", found, err)
	}
}
