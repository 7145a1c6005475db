package zipmod_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/zipmod"
)

// nsclient is the example of NSClient++'s documentation, as printed there.
func nsclient(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/nsclient.module.json")
	if err != nil {
		t.Fatal(err)
	}
	return build(t, manifest(string(text)), file("scripts/check_ok.bat"), file("scripts/python/sample.py"))
}

func TestReadTakesTheDocumentedExample(t *testing.T) {
	t.Parallel()
	data := nsclient(t)
	m, err := zipmod.Read("my-zip-module.zip", data, zipmod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	manifestText, err := os.ReadFile("testdata/nsclient.module.json")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	day := time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)
	want := &zipmod.Module{
		Name:        "my-zip-module",
		Title:       "Module Name",
		Description: "This is a description",
		Version:     "1.0.0",
		Digest:      hex.EncodeToString(sum[:]),
		Size:        int64(len(data)),
		Requires:    []string{"CheckSystem"},
		Scripts: []zipmod.Script{
			{File: "scripts/check_ok.bat", Alias: "x", Provider: "CheckExternalScripts", Command: []string{"check_ok.bat", "Test Test"}},
			{File: "scripts/python/sample.py", Alias: "sample", Command: []string{"sample.py"}},
		},
		OnStart: [][]string{{"CheckSystem.add", `\Fysisk disk(0 C:)\Disktid i procent`}},
		Files: []zipmod.File{
			{Name: "module.json", Data: manifestText, ModTime: day},
			{Name: "scripts/check_ok.bat", Data: []byte("content of scripts/check_ok.bat"), ModTime: day},
			{Name: "scripts/python/sample.py", Data: []byte("content of scripts/python/sample.py"), ModTime: day},
		},
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got  %+v\nwant %+v", m, want)
	}
}

func TestReadNamesTheModule(t *testing.T) {
	t.Parallel()
	data := build(t, minimal)
	for _, row := range []struct{ name, want, wrong string }{
		{name: "web.zip", want: "web"},
		{name: "web", want: "web"},
		{name: "WEB.ZIP", want: "WEB"},
		{name: "web-1.2.0.zip", want: "web-1.2.0"},
		{name: "web.zip.zip", want: "web.zip"},
		{name: "prüfung.zip", want: "prüfung"},
		{name: ".zip", wrong: `module name ".zip"`},
		{name: "", wrong: `module name ""`},
		{name: "my checks.zip", wrong: "without blanks"},
		{name: "..", wrong: "not beginning with"},
		{name: "a/b.zip", wrong: "rename the file"},
		{name: `a\b.zip`, wrong: "rename the file"},
		{name: "a!b.zip", wrong: "rename the file"},
		{name: strings.Repeat("x", 129), wrong: "1 to 128 characters"},
	} {
		m, err := zipmod.Read(row.name, data, zipmod.Options{})
		switch {
		case row.wrong != "":
			wantError(t, row.name, err, row.wrong)
		case err != nil:
			t.Errorf("%q: %v", row.name, err)
		case m.Name != row.want:
			t.Errorf("%q: name %q, want %q", row.name, m.Name, row.want)
		}
	}
}

func TestReadCountsAbsentScriptsAsFiles(t *testing.T) {
	t.Parallel()
	reason := errors.New("go is not installed")
	data := build(t, manifest(`{"name": "x", "scripts": ["*.wasm", {"script": "c.wasm", "alias": "see"}]}`), file("a.wasm"))
	m, err := zipmod.Read("x", data, zipmod.Options{Absent: map[string]error{"a.wasm": reason, "b.wasm": reason, "c.wasm": reason}})
	if err != nil {
		t.Fatal(err)
	}
	want := []zipmod.Script{
		{File: "a.wasm", Alias: "a", Command: []string{"a.wasm"}},
		{File: "b.wasm", Alias: "b", Command: []string{"b.wasm"}, Absent: reason},
		{File: "c.wasm", Alias: "see", Command: []string{"c.wasm"}, Absent: reason},
	}
	if !reflect.DeepEqual(m.Scripts, want) {
		t.Errorf("got  %+v\nwant %+v", m.Scripts, want)
	}
	if len(m.Files) != 2 {
		t.Errorf("%d files, want the two of the zip", len(m.Files))
	}
}

func TestOpenReadsAZip(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "Disks.zip")
	data := nsclient(t)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := zipmod.Open(path, zipmod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := zipmod.Read("Disks", data, zipmod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got  %+v\nwant %+v", m, want)
	}
	_, err = zipmod.Open(path, zipmod.Options{Limits: policy.Limits{Archive: policy.Bytes(len(data) - 1)}})
	wantError(t, "a byte too large", err, "larger than the limit")
	if _, err = zipmod.Open(path, zipmod.Options{Limits: policy.Limits{Archive: policy.Bytes(len(data))}}); err != nil {
		t.Errorf("as large as the limit: %v", err)
	}
}

func TestOpenRefusesWhatIsNeitherZipNorDirectory(t *testing.T) {
	t.Parallel()
	_, err := zipmod.Open(filepath.Join(t.TempDir(), "none.zip"), zipmod.Options{})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want one that is os.ErrNotExist", err)
	}
	_, err = zipmod.Open(os.DevNull, zipmod.Options{})
	wantError(t, os.DevNull, err, "neither a zip file nor a directory")
}

// wantError fails the test unless err holds each of the texts.
func wantError(t testing.TB, what string, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want %q", what, texts)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%s: error %q, want %q in it", what, err, text)
		}
	}
}

// TestVerifyComesFirst refuses archives by their bytes, of which nothing may be
// parsed then: what is no zip at all gets the same error.
func TestVerifyComesFirst(t *testing.T) {
	t.Parallel()
	refused := errors.New("not these")
	valid := build(t, minimal)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "module.json"), []byte(minimal.body), 0o600); err != nil {
		t.Fatal(err)
	}
	packed, err := zipmod.Pack(dir, zipmod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	zipped := filepath.Join(t.TempDir(), "a.zip")
	if err := os.WriteFile(zipped, valid, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		want []byte
		read func(zipmod.Options) (*zipmod.Module, error)
	}{
		{"a", valid, func(o zipmod.Options) (*zipmod.Module, error) { return zipmod.Read("a.ZIP", valid, o) }},
		{"b", []byte("no zip"), func(o zipmod.Options) (*zipmod.Module, error) { return zipmod.Read("b", []byte("no zip"), o) }},
		{"a", valid, func(o zipmod.Options) (*zipmod.Module, error) { return zipmod.Open(zipped, o) }},
		{filepath.Base(dir), packed, func(o zipmod.Options) (*zipmod.Module, error) { return zipmod.Open(dir, o) }},
	} {
		asked := 0
		m, err := row.read(zipmod.Options{Verify: func(name string, archive []byte) error {
			asked++
			if name != row.name || string(archive) != string(row.want) {
				t.Errorf("asked about %s with %d bytes, want %s with %d", name, len(archive), row.name, len(row.want))
			}
			return refused
		}})
		if m != nil || !errors.Is(err, refused) || asked != 1 {
			t.Errorf("%s: asked %d times, got %v, %v", row.name, asked, m, err)
		}
	}
	if m, err := zipmod.Read("a", valid, zipmod.Options{Verify: func(string, []byte) error { return nil }}); err != nil || m.Name != "a" {
		t.Errorf("accepted, but got %v, %v", m, err)
	}
	large := zipmod.Options{Limits: policy.Limits{Archive: 4}, Verify: func(string, []byte) error { t.Error("asked about a part of it"); return nil }}
	if _, err := zipmod.Open(zipped, large); err == nil || !strings.Contains(err.Error(), "larger than the limit") {
		t.Errorf("a large archive: %v", err)
	}
}
