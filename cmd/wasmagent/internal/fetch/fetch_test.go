package fetch_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
	"github.com/wasmagent/wasmagent/trust"
)

// limited is a client for the tests, whose largest zip has 1000 bytes.
var limited = fetch.Client{Limit: 1000, Name: "test"}

// source parses what must be one.
func source(t *testing.T, text string) fetch.Source {
	t.Helper()
	s, err := fetch.Parse(text, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantError fetches what cannot be, for a reason.
func wantError(t *testing.T, c fetch.Client, text, reason string) {
	t.Helper()
	s := source(t, text)
	p, err := c.Fetch(t.Context(), s)
	if err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("%s: %v, want an error with %q", text, err, reason)
		return
	}
	if !strings.HasPrefix(err.Error(), s.String()+": ") {
		t.Errorf("%s: the error %q does not name it", text, err)
	}
	if p.Archive != nil || p.Signature != nil {
		t.Errorf("%s: some of it is returned", text)
	}
}

// wantParcel fetches what can be. An empty signature is none.
func wantParcel(t *testing.T, c fetch.Client, text, archive, signature string) {
	t.Helper()
	p, err := c.Fetch(t.Context(), source(t, text))
	if err != nil || string(p.Archive) != archive || string(p.Signature) != signature {
		t.Errorf("%s: %d bytes, %d of a signature, %v", text, len(p.Archive), len(p.Signature), err)
	}
	if (signature == "") != errors.Is(p.Unsigned, fs.ErrNotExist) {
		t.Errorf("%s: unsigned for %v", text, p.Unsigned)
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wantParcel(t, limited, write(t, dir, "a.zip", "bytes"), "bytes", "")
	write(t, dir, "a.zip.minisig", "signature")
	wantParcel(t, limited, filepath.Join(dir, "a.zip"), "bytes", "signature")
	full := strings.Repeat("x", 1000)
	wantParcel(t, limited, write(t, dir, "full.zip", full), full, "")
	wantError(t, limited, write(t, dir, "large.zip", full+"x"), `is larger than the limit of 1000 B; raise the limit "archive"`)
	wantError(t, limited, filepath.Join(dir, "gone.zip"), "there is no such file")
	if err := os.Mkdir(filepath.Join(dir, "dir.zip"), 0o700); err != nil {
		t.Fatal(err)
	}
	wantError(t, limited, filepath.Join(dir, "dir.zip"), "is a directory; pack it")
}

func TestFileWithBadSignature(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := write(t, dir, "a.zip", "bytes")
	write(t, dir, "a.zip.minisig", strings.Repeat("x", trust.MaxSignature+1))
	p, err := limited.Fetch(t.Context(), source(t, name))
	if err != nil || p.Signature != nil || p.Unsigned == nil || errors.Is(p.Unsigned, fs.ErrNotExist) {
		t.Errorf("a large signature: %d bytes, %v, %v", len(p.Signature), p.Unsigned, err)
	}
}

func TestArrived(t *testing.T) {
	t.Parallel()
	var told []int64
	c := limited
	c.Arrived = func(done, size int64) { told = append(told, done, size) }
	want := bytes.Repeat([]byte("x"), 700)
	if _, err := c.Fetch(t.Context(), source(t, write(t, t.TempDir(), "a.zip", string(want)))); err != nil {
		t.Fatal(err)
	}
	if n := len(told); n < 2 || told[n-2] != 700 || told[n-1] != 700 {
		t.Errorf("told %v", told)
	}
}
