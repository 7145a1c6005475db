package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPassword(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("x", maxPassword)
	for _, row := range []struct{ name, content, want, err string }{
		{"a line", "correct horse\n", "correct horse", ""},
		{"no newline", " blanks count ", " blanks count ", ""},
		{"line of Windows", "word\r\nmore\r\n", "word", ""},
		{"longest", longest + "\r\n", longest, ""},
		{"too long", longest + "x\n", "", "longer than 1024 bytes"},
		{"much too long", strings.Repeat("x", 1<<20), "", "longer than 1024 bytes"},
		{"empty", "", "", "is empty"},
		{"empty line", "\nword\n", "", "is empty"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "password")
			if err := os.WriteFile(file, []byte(row.content), 0o600); err != nil {
				t.Fatal(err)
			}
			stdin, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			a := &app{stdin: stdin}
			for _, from := range []string{file, "-"} {
				got, err := a.newPassword(from)
				if got != row.want || (err == nil) != (row.err == "") || err != nil && !strings.Contains(err.Error(), row.err) {
					t.Errorf("from %q: %.40q, %v", from, got, err)
				}
			}
		})
	}
}
