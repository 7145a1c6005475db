package main

import "testing"

func TestShellWord(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"/host/memory": "/host/memory",
		"/host/*":      "'/host/*'",
		"/x'; reboot":  `'/x'\''; reboot'`,
	} {
		if got := shellWord(text); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestTOMLKey(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"my-checks_2": "my-checks_2",
		"v1.2":        `"v1.2"`,
		`a"b`:         `"a\"b"`,
	} {
		if got := tomlKey(name); got != want {
			t.Errorf("tomlKey(%q) = %s, want %s", name, got, want)
		}
	}
}
