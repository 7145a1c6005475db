package examples_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
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

// TestGuideToCAndRust runs the programs of docs/c-and-rust.md, which the header and the
// crate show as well.
func TestGuideToCAndRust(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../docs/c-and-rust.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]struct{ language, indent string }{
		"web-checks/sdk/c/wasmagent.h":   {"c", " *     "},
		"web-checks/sdk/rust/src/lib.rs": {"rust", "//! "},
	} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(program(guide, at.language)) {
			line = at.indent + strings.ReplaceAll(line, "\t", "    ")
			if strings.TrimSpace(line) != strings.TrimSpace(at.indent) && !strings.Contains(string(text), line) {
				t.Errorf("%s does not show %q", name, line)
			}
		}
	}
	p := crafted(t, everything(t, newAuthority(t)), providers.Config{Facts: map[string]runtime.Document{"uptime": document([]byte(`{"uptime_seconds": 86400}`))}})
	for _, name := range []string{"uptime_c", "uptime_rust"} {
		for ask, want := range map[string]string{
			"":          "0 UPTIME OK: up for 86400 seconds|uptime=86400s",
			" -w 100:":  "0 UPTIME OK: up for 86400 seconds|uptime=86400s;100:",
			" -w ~:100": "1 UPTIME WARNING: up for 86400 seconds|uptime=86400s;~:100",
		} {
			if output, status := p(t, name+ask); fmt.Sprint(status, " ", output) != want {
				t.Errorf("%s%s: %d %s, want %s", name, ask, status, output, want)
			}
		}
	}
}
