package guest_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/guest"
)

// TestMain lets the test binary be a plugin where a test asks for one.
func TestMain(m *testing.M) {
	if os.Getenv("GUEST_TEST_PLUGIN") == "1" {
		guest.Plugin{Name: "check_main", Check: func(context.Context) (check.Result, error) {
			return check.Result{State: check.StateWarning, Text: "so so", Long: "more"}, nil
		}}.Main()
	}
	os.Exit(m.Run())
}

func TestMainExits(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "GUEST_TEST_PLUGIN=1")
	out, err := cmd.Output()
	if string(out) != "MAIN WARNING: so so\nmore\n" || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("%q, %v", out, err)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		late   check.State
		check  func(context.Context) (check.Result, error)
		output string
		status int
	}{
		"whole": {0, func(context.Context) (check.Result, error) {
			return check.Result{State: check.StateCritical, Text: "a|b", Long: "c\nd", Perf: []check.Perf{{Label: "e f", Value: 1.5, Unit: "s"}}}, nil
		}, "X CRITICAL: a¦b|'e f'=1.5s\nc\nd", 2},
		"zero": {0, func(context.Context) (check.Result, error) { return check.Result{}, nil }, "X UNKNOWN: ", 3},
		"error": {check.StateCritical, func(context.Context) (check.Result, error) {
			return check.Result{State: check.StateOK, Text: "never seen"}, errors.New("no\nway")
		}, "X UNKNOWN: no way", 3},
		"panic": {0, func(context.Context) (check.Result, error) { panic("oh") }, "X UNKNOWN: panic: oh\ngoroutine ", 3},
		"late, watching": {check.StateCritical, func(ctx context.Context) (check.Result, error) {
			<-ctx.Done()
			return check.Result{}, fmt.Errorf("a: %w", ctx.Err())
		}, "X CRITICAL: no answer within 0.01 seconds", 2},
		"late, deaf": {0, func(context.Context) (check.Result, error) { select {} }, "X UNKNOWN: no answer within 0.01 seconds", 3},
		"deadline of a file": {check.StateWarning, func(context.Context) (check.Result, error) {
			return check.Result{}, &fs.PathError{Op: "read", Path: "x", Err: os.ErrDeadlineExceeded}
		}, "X WARNING: no answer within 0.01 seconds", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := guest.Plugin{Name: "check_x", Version: "1", Late: row.late, Check: row.check}
			args := []string{"-t", "60"}
			if strings.Contains(name, "late") || strings.Contains(name, "deadline") {
				args[1] = "0.01"
			}
			output, status := p.Run(t.Context(), args)
			if !strings.HasPrefix(output, row.output) || status != row.status {
				t.Errorf("%q, %d; want %q, %d", output, status, row.output, row.status)
			}
		})
	}
}

func TestThresholds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		args  string
		value float64
		want  check.State
		perf  string
	}{
		{"", 1e9, check.StateOK, "a=1000000000%"},
		{"-w 5", 5, check.StateOK, "a=5%;5"},
		{"-w 5", 6, check.StateWarning, "a=6%;5"},
		{"-w 5 -c 10:", 6, check.StateCritical, "a=6%;5;10:"},
		{"-c @6 -w 10:", 6, check.StateCritical, "a=6%;10:;@6"},
		{"-w 5", math.NaN(), check.StateUnknown, "a=U;5"},
	} {
		var limits guest.Thresholds
		p := guest.Plugin{Name: "check_x", Options: limits.Options("count"), Check: func(context.Context) (check.Result, error) {
			return check.Result{State: limits.State(row.value), Perf: []check.Perf{limits.Perf("a", row.value, "%")}}, nil
		}}
		output, status := p.Run(t.Context(), strings.Fields(row.args))
		if want := fmt.Sprintf("X %s: |%s", row.want, row.perf); output != want || status != row.want.ExitStatus() {
			t.Errorf("%s: %q, %d; want %q", row.args, output, status, want)
		}
	}
}

func TestErrorsInWords(t *testing.T) {
	t.Parallel()
	absent := guest.Explain("/state/x", &fs.PathError{Op: "open", Path: "/state/x", Err: fs.ErrNotExist})
	refused := guest.Explain("/dev/tcp/x/1", &fs.PathError{Op: "open", Path: "/dev/tcp/x/1", Err: fs.ErrPermission})
	full := guest.Explain("/state/x", &fs.PathError{Op: "write", Path: "/state/x", Err: errors.New("the disk is full")})
	for _, row := range []struct {
		err      error
		says     string
		granted  bool
		critical bool
	}{
		{absent, "/state/x: not there", false, false},
		{refused, "/dev/tcp/x/1: refused; wasmagent run --trace says why", false, false},
		{full, "/state/x: the disk is full", true, true},
		{guest.Explain("x", errors.New("plain")), "x: plain", true, true},
		{context.DeadlineExceeded, "deadline", true, false},
	} {
		if !strings.Contains(row.err.Error(), row.says) || guest.NotGranted(row.err) == row.granted {
			t.Errorf("%v: granted %v, want %q", row.err, !guest.NotGranted(row.err), row.says)
		}
		r, err := guest.Unreachable(row.err)
		if critical := err == nil && r.State == check.StateCritical && r.Text == row.err.Error(); critical != row.critical || !critical && err != row.err {
			t.Errorf("%v: %+v, %v", row.err, r, err)
		}
	}
	if guest.Explain("x", nil) != nil {
		t.Error("no error is explained")
	}
}
