package main

import (
	"strings"
	"testing"
)

var pathRows = []struct{ path, document, want, err string }{
	{".", `{"a": 1}`, `{"a":1}`, ""},
	{".a", `{"a": 1}`, "1", ""},
	{".a.b", `{"a": {"b": "c d"}}`, "c d", ""},
	{".a[0][1].b", `{"a": [[0, {"b": 1e2}]]}`, "1e2", ""},
	{"[-1]", `[1, 2, 3]`, "3", ""},
	{`["a.b"]["c\"d"]`, `{"a.b": {"c\\\"d": null}}`, "null", ""},
	{`["a.b"][""]`, `{"a.b": {"": true}}`, "true", ""},
	{".a", `{"a": 12345678901234567890}`, "12345678901234567890", ""},
	{".ä-1", `{"ä-1": 0}`, "0", ""},
	{".a.b", `{"a": {}}`, "", "the answer has no .a.b; .a is an object of 0 members"},
	{"[3]", `[1, 2, 3]`, "", "the answer has no [3]; . is a list of 3"},
	{"[-4]", `[1, 2, 3]`, "", "the answer has no [-4]"},
	{"[0]", `"abc"`, "", ". is a text"},
	{".a", `null`, "", ". is null"},
	{".a", `1`, "", ". is a number"},
	{".a", `{"a": 1`, "", "is not JSON: unexpected EOF"},
	{".a", `{"a": 1} x`, "", "more after its end"},
	{".a", ``, "", "is not JSON: EOF"},
	{"", ``, "", "which value?"},
	{"a", ``, "", `"a" is no step`},
	{"..a", ``, "", `"..a" is no step`},
	{".a.", ``, "", `"." is no step`},
	{".a[b]", ``, "", `"[b]" is no step`},
	{".a[1", ``, "", `"[1" is no step`},
	{`.a["b]`, ``, "", `is no step`},
	{`.a"b`, ``, "", `is no step`},
	{".a]", ``, "", `"]" is no step`},
	{".a[99999999999999999999]", ``, "", "is no step"},
}

func look(path, document string) (string, error) {
	steps, err := parsePath(path)
	if err != nil {
		return "", err
	}
	return find([]byte(document), steps)
}

func TestPath(t *testing.T) {
	t.Parallel()
	for _, row := range pathRows {
		got, err := look(row.path, row.document)
		switch {
		case row.err == "" && (err != nil || got != row.want):
			t.Errorf("%s of %s: %q, %v; want %q", row.path, row.document, got, err, row.want)
		case row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)):
			t.Errorf("%s of %s: %q, %v; want %q", row.path, row.document, got, err, row.err)
		}
	}
}

// FuzzPath follows any path through any document; the whole document is found
// where a part of it is.
func FuzzPath(f *testing.F) {
	for _, row := range pathRows {
		f.Add(row.path, row.document)
	}
	f.Fuzz(func(t *testing.T, path, document string) {
		if _, err := look(path, document); err != nil {
			return
		}
		if _, err := look(".", document); err != nil {
			t.Errorf("%q is found in %q, and the whole is not: %v", path, document, err)
		}
	})
}
