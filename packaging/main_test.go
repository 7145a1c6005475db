package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// background is for what outlives the test that began it.
var background = context.Background()

func TestMain(m *testing.M) {
	status := m.Run()
	removeBuilds()
	os.Exit(status)
}

// TestMistakes has command lines that build nothing.
func TestMistakes(t *testing.T) {
	t.Parallel()
	there := t.TempDir()
	for _, row := range []struct {
		args []string
		want string
	}{
		{nil, `--version "": want a version such as 1.2.3`},
		{[]string{"--version", "v1.2.3"}, "want a version such as"},
		{[]string{"--version", "1.2.3-rc_1"}, "want a version such as"},
		{[]string{"--version", "1.2.3", "--only", "plan9/386"}, "--only plan9/386: is none of [linux/amd64"},
		{[]string{"--version", "1.2.3", "--out", there}, "is there already"},
		{[]string{"--version", "1.2.3", "--out", filepath.Join(there, "new"), "--source", there}, "the time of the last commit"},
	} {
		if err := run(t.Context(), row.args, io.Discard); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%q: %v, want %q", row.args, err, row.want)
		}
	}
}
