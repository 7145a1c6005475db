package builtin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/builtin"
	"github.com/wasmagent/wasmagent/check"
)

// helpers is CheckHelpers with a dispatcher that knows its own commands and
// those in more.
func helpers(more map[string]check.RunnerFunc) *builtin.Helpers {
	var h *builtin.Helpers
	var commands map[string]check.Runner
	h = builtin.NewHelpers(check.RunnerFunc(func(ctx context.Context, req check.Request) (check.Result, error) {
		if run, ok := more[req.Command]; ok {
			return run(ctx, req)
		}
		if runner, ok := commands[req.Command]; ok {
			return runner.Run(ctx, req)
		}
		return check.Result{}, fmt.Errorf("no command %q", req.Command)
	}))
	commands = h.Commands()
	return h
}

// measured answers with the state and the performance data that its
// arguments name.
func measured(_ context.Context, req check.Request) (check.Result, error) {
	r := check.Result{State: check.StateOK, Text: "OK: measured", Long: "in detail"}
	for i, label := range req.Args {
		r.Perf = append(r.Perf, check.Perf{Label: label, Value: float64(i)})
	}
	return r, nil
}

func crash(context.Context, check.Request) (check.Result, error) {
	return check.Result{}, errors.New("it cannot be run")
}

func confused(context.Context, check.Request) (check.Result, error) {
	return check.Result{Text: "no idea"}, nil
}

var others = map[string]check.RunnerFunc{"measured": measured, "crash": crash, "confused": confused}

// Each row is a command line and its plugin output; or, after "error ", what
// its error says.
var helperRows = []struct {
	line  string
	state check.State
	want  string
}{
	{"check_ok", check.StateOK, "OK"},
	{"check_ok message=well", check.StateOK, "OK: well"},
	{"check_warning --message well", check.StateWarning, "WARNING: well"},
	{"check_critical it is a=b", check.StateCritical, "CRITICAL: it is a=b"},
	{"check_ok messag=x", 0, `error unknown option "messag" (did you mean "message"?)`},

	{`check_multi command="check_ok a" command="check_ok b"`, check.StateOK, "OK: a, OK: b"},
	{`check_multi command="check_ok a" command="check_critical b" command="check_warning c"`, check.StateCritical, "OK: a, CRITICAL: b, WARNING: c"},
	{`check_multi command="check_ok a" command=confused command=check_ok`, check.StateUnknown, "OK: a, no idea, OK"},
	{`check_multi command=confused command=check_warning`, check.StateWarning, "no idea, WARNING"},
	{`check_multi command=crash command=nothing command=check_ok`, check.StateUnknown, `it cannot be run, no command "nothing", OK`},
	{`check_multi command=check_ok command=check_ok separator=" + " prefix=< suffix=>`, check.StateOK, "<OK + OK>"},
	{`check_multi command="check_ok \"a b\""`, check.StateOK, "OK: a b"},
	{`check_multi command="measured a b" command="measured b c" command="measured b"`, check.StateOK,
		"OK: measured, OK: measured, OK: measured|a=0 b=1 'measured b'=0 c=1 'measured#2 b'=0\nin detail\nin detail\nin detail"},
	{"check_multi", 0, `error option "command=LINE" is missing`},
	{"check_multi check_ok", 0, `error "check_ok" is no option`},
	{`check_multi command=""`, 0, "error no command"},

	{"check_negate command=check_ok", check.StateCritical, "CRITICAL"},
	{"check_negate check_critical it is bad", check.StateOK, "OK: it is bad"},
	{"check_negate check_warning x", check.StateWarning, "WARNING: x"},
	{"check_negate confused", check.StateUnknown, "no idea"},
	{"check_negate ok=critical critical=ok check_ok", check.StateCritical, "CRITICAL"},
	{"check_negate ok=critical critical=ok check_critical", check.StateOK, "OK"},
	{"check_negate ok=warning warning=ok check_ok", check.StateWarning, "WARNING"},
	{"check_negate ok=warning warning=ok check_warning", check.StateOK, "OK"},
	{"check_negate ok=warning warning=critical critical=unknown unknown=ok confused", check.StateOK, "no idea"},
	{"check_negate warning=ok check_ok", check.StateOK, "OK"},
	{"check_negate -w 2 check_warning", check.StateCritical, "CRITICAL"},
	{"check_negate unknown=ok crash", 0, "error it cannot be run"},
	{"check_negate", 0, "error name a command"},
	{"check_negate command=check_ok check_ok", 0, "error one word too many"},
	{"check_negate ok=fine check_ok", 0, `error "fine" is no state`},
	{"check_negate measured a", check.StateCritical, "CRITICAL: measured|a=0\nin detail"},

	{"check_always_ok check_critical bad", check.StateOK, "CRITICAL: bad"},
	{`check_always_ok command="measured x"`, check.StateOK, "OK: measured|x=0\nin detail"},
	{"check_always_ok crash", 0, "error it cannot be run"},
	{"check_always_ok", 0, "error name a command"},

	{"check_timeout timeout=1s check_warning x", check.StateWarning, "WARNING: x"},
	{"check_timeout timeout=1s crash", 0, "error it cannot be run"},
	{"check_timeout timeout=0 check_ok", 0, `error "0" is outside 1ms to 1d`},
	{"check_timeout timeout=-1s check_ok", 0, "error outside"},
}

func TestHelpers(t *testing.T) {
	t.Parallel()
	for _, row := range helperRows {
		result, err := run(t, helpers(others).Commands(), row.line)
		if says, wrong := strings.CutPrefix(row.want, "error "); wrong {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: error %v, want %q", row.line, err, says)
			}
			continue
		}
		if got := strings.TrimSpace(check.Encode(result)); err != nil || result.State != row.state || got != row.want {
			t.Errorf("%s: %s %q, error %v; want %s %q", row.line, result.State, got, err, row.state, row.want)
		}
	}
}

// What helpers run is asked for by check.Check, with the arguments apart.
func TestHelpersAsk(t *testing.T) {
	t.Parallel()
	var asked []string
	h := helpers(map[string]check.RunnerFunc{"x": func(_ context.Context, req check.Request) (check.Result, error) {
		asked = append(asked, fmt.Sprintf("%s %q", req.Origin, req.Args))
		return check.Result{}, nil
	}})
	for _, line := range []string{`check_multi command="x \"a b\" c=d"`, "check_always_ok x --e f", `check_negate command=x`} {
		if _, err := run(t, h.Commands(), line); err != nil {
			t.Error(err)
		}
	}
	if got := strings.Join(asked, "; "); got != `check ["a b" "c=d"]; check ["--e" "f"]; check []` {
		t.Error(got)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	slow := map[string]check.RunnerFunc{
		"slow": func(ctx context.Context, _ check.Request) (check.Result, error) {
			<-ctx.Done()
			return check.Result{}, ctx.Err()
		},
		"late": func(ctx context.Context, _ check.Request) (check.Result, error) {
			<-ctx.Done()
			return check.Result{State: check.StateOK, Text: "OK: too late", Usage: check.Usage{Output: 7}}, nil
		},
	}
	for line, want := range map[string]string{
		"check_timeout timeout=2s slow":                                "UNKNOWN: slow did not answer within 2s",
		"check_timeout timeout=250ms return=critical command=\"slow\"": "CRITICAL: slow did not answer within 250ms",
		"check_timeout -t 1m -r ok late":                               "OK: late did not answer within 1m",
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			result, err := run(t, helpers(slow).Commands(), line)
			if err != nil || result.Text != want || !strings.HasPrefix(want, result.State.String()) {
				t.Errorf("%s: %+v, %v; want %q", line, result, err, want)
			}
			if took := time.Since(start); took > time.Minute {
				t.Errorf("%s took %s", line, took)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := helpers(slow).Commands()["check_timeout"].Run(ctx, check.Request{Args: []string{"timeout=1h", "return=ok", "slow"}})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the caller's own limit: %v", err)
		}
	})
}

// A caller that gives up while check_multi runs gets no half answer.
func TestMultiEndsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("given up")
	h := helpers(map[string]check.RunnerFunc{"stop": func(context.Context, check.Request) (check.Result, error) {
		cancel(why)
		return check.Result{State: check.StateOK}, nil
	}})
	_, err := h.Commands()["check_multi"].Run(ctx, check.Request{Args: []string{"command=stop", "command=check_ok"}})
	if !errors.Is(err, why) {
		t.Error(err)
	}
}

// Commands that run themselves end with an error, soon, however many of them
// each one starts.
func TestRecursion(t *testing.T) {
	t.Parallel()
	var runs atomic.Int64
	var h *builtin.Helpers
	again := func(line string) check.RunnerFunc {
		return func(ctx context.Context, _ check.Request) (check.Result, error) {
			runs.Add(1)
			words, err := check.Split(line)
			if err != nil {
				return check.Result{}, err
			}
			return h.Commands()[words[0]].Run(ctx, check.Request{Args: words[1:]})
		}
	}
	for line, says := range map[string]string{
		"check_always_ok again": "has started 64 commands already",
		"check_negate again":    "has started 64 commands already",
		"check_timeout again":   "has started 64 commands already",
		`check_multi command=again command=again command=again command=again`: "has started 64 commands already",
	} {
		runs.Store(0)
		h = helpers(map[string]check.RunnerFunc{"again": again(line)})
		result, err := run(t, h.Commands(), line)
		text := result.Text
		if err != nil {
			text = err.Error()
		}
		if !strings.Contains(text, says) || result.State == check.StateOK {
			t.Errorf("%s: %s %.200q, want %q", line, result.State, text, says)
		}
		if n := runs.Load(); n > builtin.MaxCommands {
			t.Errorf("%s: %d commands ran", line, n)
		}
	}
}

func TestHelpersAreAModule(t *testing.T) {
	t.Parallel()
	h := helpers(nil)
	if h.Name() != "CheckHelpers" || h.Description() == "" || len(h.Commands()) != 7 {
		t.Errorf("%q, %q, %d commands", h.Name(), h.Description(), len(h.Commands()))
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}
