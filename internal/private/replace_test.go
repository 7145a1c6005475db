package private_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/wasmagent/wasmagent/internal/private"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	full := errors.New("the disk is full")
	for _, row := range []struct {
		name, before, want string
		err                error
	}{
		{"new", "", "after", nil},
		{"there", "before", "after", nil},
		{"failing", "before", "before", full},
		{"new and failing", "", "", full},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(t.TempDir(), "file")
			if row.before != "" {
				if err := os.WriteFile(name, []byte(row.before), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			err := private.Replace(name, func(f *os.File) error {
				_, err := f.WriteString("after")
				return errors.Join(err, row.err)
			})
			if !errors.Is(err, row.err) {
				t.Errorf("error %v, want %v", err, row.err)
			}
			if got, _ := os.ReadFile(name); string(got) != row.want {
				t.Errorf("the file holds %q, want %q", got, row.want)
			}
			if entries, _ := os.ReadDir(filepath.Dir(name)); len(entries) > 1 || len(entries) == 1 && entries[0].Name() != "file" {
				t.Errorf("the directory holds %v", entries)
			}
		})
	}
}
