package private_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/internal/private"
)

func TestRead(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":       "",
		"abc":    "abc",
		"abcd":   "abcd",
		"abcdef": "abcde", // one byte tells that there is more
	} {
		name := filepath.Join(t.TempDir(), "file")
		fill(t, name, content)
		if got, err := private.Read(name, 4, nil); err != nil || string(got) != want {
			t.Errorf("of %q: %q, %v; want %q", content, got, err, want)
		}
	}
}

// A file that is larger than when it was looked at is read no further.
func TestReadOfAGrowingFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "file")
	fill(t, name, "abc")
	got, err := private.Read(name, 4, func(info fs.FileInfo) error {
		if info.Size() != 3 {
			t.Errorf("%d bytes before it grows, want 3", info.Size())
		}
		fill(t, name, strings.Repeat("x", 100))
		return nil
	})
	if err != nil || string(got) != "xxxxx" {
		t.Errorf("%q, %v; want the limit and one byte more", got, err)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := private.Read(filepath.Join(dir, "none"), 4, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := private.Read(dir, 4, nil); err == nil || err.Error() != dir+": is no regular file" {
		t.Errorf("a directory: %v", err)
	}
	name := filepath.Join(dir, "file")
	fill(t, name, "abc")
	refusal := errors.New("others can write it")
	if got, err := private.Read(name, 4, func(fs.FileInfo) error { return refusal }); err != refusal || got != nil {
		t.Errorf("what is not accepted: %q, %v", got, err)
	}
}

func fill(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
