//go:build unix

package zipmod_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmagent/wasmagent/zipmod"
)

func TestPackRefusesLinks(t *testing.T) {
	t.Parallel()
	dir := directoryOf(t, author)
	for link, target := range map[string]string{"l": "README.md", "d": "scripts", "out": "/etc", ".hidden": "/etc", "none": "nothing"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := zipmod.Pack(dir, zipmod.Options{})
	wantError(t, "links", err, "l: is a symbolic link", "d: is a symbolic link", "out: is a symbolic link", "none: is a symbolic link")
	if err != nil && strings.Contains(err.Error(), ".hidden") {
		t.Errorf("what is hidden does not matter: %v", err)
	}
}

func TestOpenFollowsALinkToAModule(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(directoryOf(t, map[string]string{"module.json": minimal.body}), link); err != nil {
		t.Fatal(err)
	}
	m, err := zipmod.Open(link, zipmod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "link" {
		t.Errorf("name %q, want that of the link", m.Name)
	}
}

func TestPackRefusesSpecialFiles(t *testing.T) {
	t.Parallel()
	dir := directoryOf(t, author)
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := zipmod.Pack(dir, zipmod.Options{})
	wantError(t, "a pipe", err, "pipe: is a device or another special file")
	_, err = zipmod.Open(filepath.Join(dir, "pipe"), zipmod.Options{})
	wantError(t, "a pipe for a zip", err, "neither a zip file nor a directory")
}
