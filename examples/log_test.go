package examples_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A logStep changes a log, and says what the next run of check_log answers.
type logStep struct {
	name   string
	change func(*testing.T, string)
	status int
	says   string
	both   bool // the Monitoring Plugins answer the same
}

// add appends to a log.
func add(text string) func(*testing.T, string) {
	return func(t *testing.T, log string) {
		f, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
}

// rotate renames the log, and begins a new one.
func rotate(last, first string) func(*testing.T, string) {
	return func(t *testing.T, log string) {
		add(last)(t, log)
		if err := os.Rename(log, log+".1"); err != nil {
			t.Fatal(err)
		}
		add(first)(t, log)
	}
}

// copyTruncate copies the log, and cuts it to nothing.
func copyTruncate(last, first string) func(*testing.T, string) {
	return func(t *testing.T, log string) {
		add(last)(t, log)
		data, err := os.ReadFile(log)
		if err == nil {
			err = os.WriteFile(log+".1", data, 0o644)
		}
		if err == nil {
			err = os.WriteFile(log, []byte(first), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// replace removes the log and what it was rotated to, and begins a new one.
func replace(first string) func(*testing.T, string) {
	return func(t *testing.T, log string) {
		os.Remove(log + ".1")
		if err := os.Rename(log, log+".gone"); err != nil {
			t.Fatal(err)
		}
		add(first)(t, log)
	}
}

// much is more than a run reads.
var much = strings.Repeat(strings.Repeat("x", 99)+"\n", 9<<20/100)

var logSteps = []logStep{
	{"first run", add("old error\n"), 0, "LOG OK: log check data initialized", true},
	{"nothing new", add(""), 0, "LOG OK: 0 pattern matches found|lines=0;;0", true},
	{"no match", add("all is well\n"), 0, "0 pattern matches found", true},
	{"one match", add("an error\nall is well\n"), 2, "LOG CRITICAL: (1) an error", true},
	{"seen already", add(""), 0, "0 pattern matches found", true},
	{"two matches, one excluded", add("error 1\nharmless error\nerror 2\n"), 2, "(2) error 2|lines=2", true},
	{"a line without an end", add("error 3"), 0, "0 pattern matches found", false},
	{"the rest of that line", add(" and more\r\n"), 2, "(1) error 3 and more|", false},
	{"rotated", rotate("error 4\nwell\n", "error 5\n"), 2, "(2) error 5", false},
	{"rotated without an end", rotate("error 6", "well\n"), 2, "(1) error 6", false},
	{"copied and cut", copyTruncate("error 7\n", "error 8\n"), 2, "(2) error 8", false},
	{"copied and cut, and grown beyond", copyTruncate("", strings.Repeat("error\n", 1000)), 2, "(1000) error", false},
	{"replaced", replace("error 9\n"), 2, "(1) error 9", false},
	{"nothing new after all", add(""), 0, "0 pattern matches found", false},
	{"much", add(much + "error 10\n"), 0, "bytes are left for the next run", false},
	{"the rest of much", add(""), 2, "(1) error 10", false},
	{"much before it is rotated", rotate(much+"error 11\n", "error 12\n"), 0, "bytes are left for the next run", false},
	{"the rest of both", add(""), 2, "(2) error 12", false},
	{"an endless line", add(strings.Repeat("error", 20000)), 2, "(1) errorerror", false},
	{"bars and bytes", add("\n\xff error |x=1\n"), 2, "(2) \uFFFD error ¦x=1|lines=2;;0", false},
}

// TestLog runs check_log over a log that grows and is rotated, and that of the
// Monitoring Plugins over another one that is treated the same.
func TestLog(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles a large program")
	}
	t.Run("sandbox", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		ours := sandbox(t, newAuthority(t), dir, "/files/log/**", "/state/**")
		for _, step := range logSteps {
			step.change(t, filepath.Join(dir, "web.log"))
			output, status := ours(t, "check_log -F /files/log/web.log -q error --exclude harmless")
			if status != step.status || !strings.Contains(output, step.says) {
				t.Errorf("%s: status %d, want %d\n%.500s, want %q", step.name, status, step.status, output, step.says)
			}
		}
	})
	t.Run("monitoring-plugins", func(t *testing.T) {
		t.Parallel()
		theirs := monitoring(t)
		log, old := filepath.Join(t.TempDir(), "web.log"), filepath.Join(t.TempDir(), "old")
		for _, step := range logSteps {
			if !step.both {
				continue
			}
			step.change(t, log)
			if output, status := theirs(t, "check_log -F "+log+" -O "+old+" -q error --exclude harmless"); status != step.status {
				t.Errorf("%s: status %d, want %d\n%s", step.name, status, step.status, output)
			}
		}
	})
}

// TestLogOptions has one log that several checks look at.
func TestLogOptions(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles a large program")
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "web.log")
	ours := sandbox(t, newAuthority(t), dir, "/files/log/web.log", "/state/**")
	add("")(t, log)
	for _, step := range []struct {
		add, ask string
		status   int
		says     string
	}{
		{"", "check_log -F /files/log/web.log -q a", 0, "initialized"},
		{"", "check_log -F /files/log/web.log -q b", 0, "initialized"},
		{"", "check_log -F /files/log/web.log -q . -O mine -w 1 -c 3", 0, "initialized"},
		{"a\nb\n", "check_log -F /files/log/web.log -q a", 2, "(1) a|"},
		{"b\n", "check_log -F /files/log/web.log -q b", 2, "(2) b|"},
		{"", "check_log -F /files/log/web.log -q . -O mine -w 1 -c 3 -a", 1, "LOG WARNING: (3) b|lines=3;1;3\na\nb\nb"},
		{"x\n", "check_log -F /files/log/web.log -q . -O ../../mine -w 1 -c 3", 0, "LOG OK: (1) x"},
		{"X\n", "check_log -F /files/log/web.log -e -q ^(?i)x$ -O mine", 2, "(1) X"},
		{"", "check_log -F /files/log/other.log -q a", 3, "/files/log/other.log: not granted, or not there"},
		{"", "check_log -F /etc/passwd -q a", 3, "/etc/passwd: not granted, or not there"},
		{"", "check_log -F /files/log/web.log", 3, "give -F FILE and -q PATTERN"},
		{"", "check_log -q a", 3, "give -F FILE and -q PATTERN"},
		{"", "check_log -F x -q (", 3, "missing closing )"},
	} {
		add(step.add)(t, log)
		output, status := ours(t, step.ask)
		if status != step.status || !strings.Contains(output, step.says) {
			t.Errorf("%s: status %d, want %d\n%s, want %q", step.ask, status, step.status, output, step.says)
		}
	}
}

// TestLogWithoutState wants a check that cannot remember to say so.
func TestLogWithoutState(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles a large program")
	}
	dir := t.TempDir()
	add("a\n")(t, filepath.Join(dir, "web.log"))
	ours := sandbox(t, newAuthority(t), dir, "/files/log/**")
	if output, status := ours(t, "check_log -F /files/log/web.log -q a"); status != 3 || !strings.Contains(output, "/state/check_log-") || !strings.Contains(output, "not granted") {
		t.Errorf("%d, %s", status, output)
	}
}
