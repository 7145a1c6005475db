package watch

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestExpect changes a file that looks as it should then, and one that does not.
func TestExpect(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config.toml")
	w, err := New(time.Hour, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.Set([]string{file})
	for _, row := range []struct {
		text       string
		ours, news bool
	}{{"a", true, false}, {"ab", false, true}, {"abc", true, false}} {
		if err := os.WriteFile(file, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		w.Expect(file, func() bool { return row.ours })
		if _, news := w.look(); news != row.news {
			t.Errorf("%q, ours %v: news %v", row.text, row.ours, news)
		}
	}
	w.Expect(file+".other", func() bool { t.Error("it is not watched"); return true })
}
