package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTypedCommands types at the prompt on a terminal.
func TestTypedCommands(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(file, []byte("[modules]\nCheckHelpers = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	keyboard, terminal := openTerminal(t)
	a := &app{stdin: terminal, stdout: terminal, stderr: terminal, configFile: file}
	done := make(chan error, 1)
	go func() { done <- a.test(t.Context(), false) }()
	screen := &screen{t: t, file: keyboard}
	screen.wait("help lists what can be typed, exit ends")
	for _, row := range []struct{ typed, shows string }{
		{"check_o\ttyped\r", "OK | OK: typed"},                           // completed
		{"\x1b[A\r", "OK | OK: typed"},                                   // out of the history
		{"ch\t_w\tx\x7fy\r", "WARNING | WARNING: y"},                     // as far as they are alike, and a mistake taken back
		{"unload checkh\t\r", "CheckHelpers is unloaded"},                // a module that is loaded
		{"check_ok\r", `no command "check_ok" is loaded`},                // and is no more
		{"load C\t\t\x15modules\r", "CheckHelpers  CheckSystem"},         // listed, and the line thrown away
		{"load CheckH\t\rque\t\t\x15desc check_ok\r", "Usage: check_ok"}, // several lines at once
	} {
		screen.wait("wasmagent> ")
		if _, err := keyboard.WriteString(row.typed); err != nil {
			t.Fatal(err)
		}
		screen.wait(row.shows)
	}
	if _, err := keyboard.WriteString("exit\r"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A screen is what a terminal has shown.
type screen struct {
	t    *testing.T
	file *os.File
	text string // since what was waited for
}

// wait reads what is shown until a text is. A terminal that never shows it is ended by
// the time limit of the tests, which prints where it waits.
func (s *screen) wait(text string) {
	s.t.Helper()
	var chunk [1024]byte
	for {
		if _, after, found := strings.Cut(s.text, text); found {
			s.text = after
			return
		}
		n, err := s.file.Read(chunk[:])
		if err != nil {
			s.t.Fatalf("the terminal shows %q and not %q: %v", s.text, text, err)
		}
		s.text += string(chunk[:n])
	}
}
