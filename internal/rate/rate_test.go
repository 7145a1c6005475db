package rate_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/internal/rate"
)

func TestBucket(t *testing.T) {
	t.Parallel()
	var b rate.Bucket
	began := time.Now()
	for i, row := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {0, true}, {0, true}, {0, false}, {400 * time.Millisecond, false}, {500 * time.Millisecond, true}, {500 * time.Millisecond, false}, {time.Hour, true}} {
		if got := b.Take(began.Add(row.after), 2, 3); got != row.want {
			t.Errorf("event %d, after %v: %v", i, row.after, got)
		}
	}
}

// TestNotices has two loud minutes, of which a line is worth a level.
func TestNotices(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text strings.Builder
		log := slog.New(slog.NewTextHandler(&text, nil))
		var n rate.Notices
		for range 2 {
			for i := range 100 {
				n.Log(t.Context(), log, slog.LevelDebug, "nothing")
				n.Log(t.Context(), log, slog.LevelWarn, "refused", "i", i)
			}
			time.Sleep(5 * time.Second)
			n.Log(t.Context(), log, slog.LevelWarn, "later")
			time.Sleep(time.Minute)
		}
		lines := strings.Split(strings.TrimSpace(text.String()), "\n")
		var got []string
		for _, i := range []int{0, 19, 20, 21, len(lines) - 1} {
			_, line, _ := strings.Cut(lines[i], "msg=")
			got = append(got, line)
		}
		const want = "[refused i=0 lines_left_out=0 refused i=19 lines_left_out=0 later lines_left_out=80 refused i=0 lines_left_out=0 later lines_left_out=88]"
		if fmt.Sprint(got) != want || len(lines) != 21+13 {
			t.Errorf("%d lines, %v, want %s", len(lines), got, want)
		}
	})
}
