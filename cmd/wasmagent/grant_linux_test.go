package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGrantAsks answers on a terminal.
func TestGrantAsks(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		typed   string
		granted bool
	}{{"y\n", true}, {"Yes\n", true}, {"n\n", false}, {"\n", false}, {"\x04", false}} {
		dir := t.TempDir()
		file := filepath.Join(dir, "config.toml")
		if err := os.Mkdir(filepath.Join(dir, "m"), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "m", "module.json"), `{"name": "m", "permissions": ["/host/os"]}`)
		write(t, file, "modules.m = { path = \"m\" }\naudit.path = \"audit.log\"\ndirectories = { cache = \"cache\", scratch = \"scratch\" }\n")
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		keyboard, terminal := openTerminal(t)
		if _, err := keyboard.WriteString(row.typed); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		a := &app{stdin: terminal, stdout: &stdout, stderr: &stderr, configFile: file}
		err = a.grant(t.Context(), grantFlags{}, "m", nil)
		if (err == nil) != row.granted || !strings.HasSuffix(strings.TrimSpace(stderr.String()), "Grant m this? [y/N]") {
			t.Errorf("%q: %v, asked %q", row.typed, err, stderr.String())
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if changed := !bytes.Equal(got, before); changed != row.granted {
			t.Errorf("%q: the file holds %q", row.typed, got)
		}
		if _, err := os.Stat(filepath.Join(dir, "audit.log")); (err == nil) != row.granted {
			t.Errorf("%q: the audit log: %v", row.typed, err)
		}
	}
}
