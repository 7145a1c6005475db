package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal opens a terminal and what types on it.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keyboard, terminal
}

// TestTypedPassword types passwords on a terminal.
func TestTypedPassword(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, typed, want, err string }{
		{"twice", "word\nword\n", "word", ""},
		{"two", "word\nwort\n", "", "the two passwords differ; try again"},
		{"empty", "\n\n", "", "is empty"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			keyboard, terminal := openTerminal(t)
			if _, err := keyboard.WriteString(row.typed); err != nil {
				t.Fatal(err)
			}
			var prompts bytes.Buffer
			a := &app{stdin: terminal, stderr: &prompts}
			got, err := a.newPassword("")
			if err != nil && (row.err == "" || !strings.Contains(err.Error(), row.err)) || err == nil && got != row.want {
				t.Errorf("got %q, %v", got, err)
			}
			if !strings.HasPrefix(prompts.String(), "New password: \n") || strings.Contains(prompts.String(), "word\n") {
				t.Errorf("the prompts are %q", prompts.String())
			}
		})
	}
}
