package zipmod_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/zipmod"
)

// directoryOf writes files, with their contents by name, and returns the path
// of their directory. A name that ends in "/" is an empty directory.
func directoryOf(t testing.TB, files map[string]string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "web-checks")
	for name, body := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		parent := filepath.Dir(path)
		if strings.HasSuffix(name, "/") {
			parent = path
		}
		if err := os.MkdirAll(parent, 0o700); err != nil {
			t.Fatal(err)
		}
		if parent == path {
			continue
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// author is the directory of somebody who writes a module.
var author = map[string]string{
	"module.json":                `{"name": "Web checks", "scripts": ["scripts/*.wasm", "scripts/*.sh"]}`,
	"README.md":                  "# Web checks\n",
	"scripts/check_sh.sh":        "#!/bin/sh\n",
	"scripts/check_go/main.go":   "package main\n",
	"scripts/check_go/sub/x.go":  "package sub\n",
	"scripts/check_c/check.c":    "int main(void) { return 0; }\n",
	"scripts/check_old.wasm":     "old",
	"scripts/data/list.txt":      strings.Repeat("a line\n", 1000),
	"scripts/data/check_go/x":    "kept: only scripts/check_go is source",
	"scripts/.cache/x":           "hidden",
	".git/config":                "hidden",
	".gitignore":                 "hidden",
	"node_modules/x/index.js":    "left out",
	"scripts/node_modules/index": "left out",
	"empty/":                     "",
}

var built = map[string][]byte{
	"scripts/check_go.wasm":  []byte("\x00asm of Go"),
	"scripts/check_old.wasm": []byte("new"),
}

func TestPackTakesWhatBelongsToTheModule(t *testing.T) {
	t.Parallel()
	reason := errors.New("clang is not installed")
	opts := zipmod.Options{Built: built, Absent: map[string]error{"scripts/check_c.wasm": reason}}
	m, err := zipmod.Open(directoryOf(t, author), opts)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"module.json":             author["module.json"],
		"README.md":               author["README.md"],
		"scripts/check_sh.sh":     author["scripts/check_sh.sh"],
		"scripts/data/list.txt":   author["scripts/data/list.txt"],
		"scripts/data/check_go/x": author["scripts/data/check_go/x"],
		"scripts/check_go.wasm":   "\x00asm of Go",
		"scripts/check_old.wasm":  "new",
	}
	if got := contents(m); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	var aliases []string
	for _, s := range m.Scripts {
		aliases = append(aliases, s.Alias)
	}
	if want := []string{"check_c", "check_go", "check_old", "check_sh"}; !slices.Equal(aliases, want) {
		t.Errorf("commands %q, want %q", aliases, want)
	}
	if m.Name != "web-checks" || m.Scripts[0].Absent != reason {
		t.Errorf("name %q, absent %v", m.Name, m.Scripts[0].Absent)
	}
}

func TestPackKeepsAProgramOfItsOwn(t *testing.T) {
	t.Parallel()
	dir := directoryOf(t, map[string]string{"module.json": minimal.body, "a.wasm": "mine", "a/main.go": "package main"})
	m, err := zipmod.Open(dir, zipmod.Options{Built: map[string][]byte{"a.wasm": nil}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := contents(m), map[string]string{"module.json": minimal.body, "a.wasm": "mine"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPackIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	opts := zipmod.Options{Built: built}
	dir := directoryOf(t, author)
	first, err := zipmod.Pack(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	for name := range author {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.Chtimes(path, time.Time{}, time.Unix(1e9, 0)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	again, err := zipmod.Pack(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := zipmod.Pack(directoryOf(t, author), opts)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, again) || !bytes.Equal(first, elsewhere) {
		t.Error("the bytes differ")
	}
	opened, err := zipmod.Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	read, err := zipmod.Read("web-checks.zip", first, zipmod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(opened, read) {
		t.Error("the directory and its zip are different modules")
	}
	for _, f := range read.Files {
		if !f.ModTime.Equal(time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s is of %v", f.Name, f.ModTime)
		}
	}
}

// A file is compressed to the same bytes whatever was compressed before it.
func TestPackCompressesEachFileByItself(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("the same text again and again, ", 5000)
	both, err := zipmod.Pack(directoryOf(t, map[string]string{"a": strings.Repeat("again and again", 9000), "b": body}), zipmod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := zipmod.Pack(directoryOf(t, map[string]string{"b": body}), zipmod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := compressed(t, both, "b"), compressed(t, alone, "b"); a != b {
		t.Errorf("%d bytes and %d bytes", a, b)
	}
}

func compressed(t testing.TB, data []byte, name string) uint64 {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.File {
		if f.Name == name {
			return f.CompressedSize64
		}
	}
	t.Fatalf("no %s in the zip", name)
	return 0
}

func TestPackOfZerosIsAccepted(t *testing.T) {
	t.Parallel()
	dir := directoryOf(t, map[string]string{"module.json": minimal.body, "zeros": strings.Repeat("\x00", 4<<20)})
	if _, err := zipmod.Open(dir, zipmod.Options{}); err != nil {
		t.Error(err)
	}
}

func TestPackIsBounded(t *testing.T) {
	t.Parallel()
	dir := directoryOf(t, map[string]string{"a": "12345", "b": "67890"})
	for _, row := range []struct {
		limits policy.Limits
		want   string
	}{
		{policy.Limits{Unpacked: 10, Entries: 2}, ""},
		{policy.Limits{Unpacked: 9}, "b: makes the module larger than the limit of 9 B"},
		{policy.Limits{Unpacked: 4}, "a: makes the module larger than the limit of 4 B"},
		{policy.Limits{Entries: 1}, "b: is one file more than the limit of 1"},
	} {
		_, err := zipmod.Pack(dir, zipmod.Options{Limits: row.limits})
		if row.want != "" {
			wantError(t, fmt.Sprint(row.limits), err, row.want)
		} else if err != nil {
			t.Error(err)
		}
	}
}

func TestPackNeedsADirectory(t *testing.T) {
	t.Parallel()
	if _, err := zipmod.Pack(filepath.Join(t.TempDir(), "none"), zipmod.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want one that is os.ErrNotExist", err)
	}
}

func TestOpenJudgesADirectoryLikeAZip(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		files map[string]string
		want  string
	}{
		{map[string]string{"a": ""}, "has no module.json, so it is no module; add one"},
		{map[string]string{"a": "", "web/module.json": ""}, `has no module.json, so it is no module; did you mean the directory "web" in it?`},
		{map[string]string{"Module.json": ""}, `archive: has "Module.json"; it must be a file called "module.json"`},
		{map[string]string{"module.json": `{"nam": 1}`}, `unknown key "nam"; did you mean "name"?`},
		{map[string]string{"module.json": minimal.body, "host/memory": ""}, "/host is not the zip's"},
	} {
		_, err := zipmod.Open(directoryOf(t, row.files), zipmod.Options{})
		wantError(t, fmt.Sprint(row.files), err, row.want)
	}
}
