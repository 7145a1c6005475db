package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGuide builds the programs of docs/guest.md.
func TestGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../docs/guest.md")
	if err != nil {
		t.Fatal(err)
	}
	programs := 0
	for _, m := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(strings.ReplaceAll(string(guide), "\r\n", "\n"), -1) {
		if !strings.HasPrefix(m[1], "package main") {
			continue
		}
		programs++
		source := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(source, []byte(m[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		compile(t, source, filepath.Join(t.TempDir(), "check.exe"))
	}
	if programs == 0 {
		t.Error("the guide has no program")
	}
}
