//go:build unix

package config_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
)

func TestLoadRefusesWhatEveryUserCanWrite(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		mode os.FileMode
		want string
	}{
		{0o600, ""},
		{0o644, ""},
		{0o664, ""}, // a clone under a umask of 002
		{0o646, "every user can write it"},
		{0o666, "chmod o-w"},
	} {
		name := filepath.Join(t.TempDir(), "config.toml")
		write(t, name, "")
		if err := os.Chmod(name, test.mode); err != nil {
			t.Fatal(err)
		}
		_, err := config.Load(name)
		wantError(t, err, test.want)
	}
}

// A FIFO in the file's place does not keep the agent waiting for a writer.
func TestLoadRefusesWhatIsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo := filepath.Join(dir, "config.toml")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, fifo} {
		_, err := config.Load(name)
		wantError(t, err, name+": is no regular file")
	}
}

// TestFindRefusesAnothersFile changes the working directory.
func TestFindRefusesAnothersFile(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv(config.Variable, "")
	write(t, "config.toml", "")
	_, err := config.Find("")
	wantError(t, err, "")
	if os.Geteuid() != 0 {
		return // only root can give a file away
	}
	if err := os.Chown("config.toml", 12345, -1); err != nil {
		t.Fatal(err)
	}
	_, err = config.Find("")
	wantError(t, err, "belongs to another user")
}
