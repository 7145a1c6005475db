package main

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

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

func TestVisible(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"OK: fine\n\tmore ü":      "OK: fine\n\tmore ü",
		"\x1b]0;title\a\r\b":      "\uFFFD]0;title\uFFFD\uFFFD\uFFFD",
		"\u009b31m\x7f":           "\uFFFD31m\uFFFD",
		"nothing\u202egnihtyreve": "nothing\uFFFDgnihtyreve",
	} {
		if got := visible(text); got != want {
			t.Errorf("visible(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestPermission has paths as scripts try them.
func TestPermission(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/host/memory":               "/host/memory",
		"/dev/tls/www.example.com/1": "/dev/tls/www.example.com/1",
		"/files/log/a/b.log":         "/files/log/**",
		"/files/log":                 "/files/log/**",
		"/files/log/*\x1b":           "/files/log/**",
		"/files":                     "/files",
		"/state/\x1b[31m*":           "/state/**",
		"/dev/**":                    "",
		"/dev/tcp/*/443":             "",
		"/files/*/x":                 "",
		"/files/l[o]g":               "",
		"/env/{A,B}":                 "",
		"/env/?":                     "",
		"/env/A\nwasmagent: run":     "",
		"/env/\x1b[31m":              "",
		"/env/\u202eX":               "",
		"/etc/passwd":                "",
	} {
		if got, ok := permission(path); ok != (want != "") || ok && got != want {
			t.Errorf("permission(%q) = %q, %v; want %q", path, got, ok, want)
		}
	}
}

func TestEach(t *testing.T) {
	t.Parallel()
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	sentence := fmt.Errorf("both %w and %w", a, b)
	for _, test := range []struct {
		err  error
		want []error
	}{
		{nil, nil},
		{a, []error{a}},
		{errors.Join(a, b), []error{a, b}},
		{errors.Join(errors.Join(a, b), nil, c), []error{a, b, c}},
		{errors.Join(sentence, c), []error{sentence, c}},
	} {
		if got := each(test.err); !slices.Equal(got, test.want) {
			t.Errorf("each(%v) = %v, want %v", test.err, got, test.want)
		}
	}
}
