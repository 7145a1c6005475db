package check_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
)

func TestZeroResultIsUnknown(t *testing.T) {
	t.Parallel()
	if s := (check.Result{}).State; s.String() != "UNKNOWN" || s.ExitStatus() != 3 {
		t.Errorf("the zero state is %s, %d", s, s.ExitStatus())
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	for status, name := range []string{"OK", "WARNING", "CRITICAL", "UNKNOWN"} {
		s, ok := check.StateOf(int64(status))
		if !ok || s.String() != name || s.ExitStatus() != status {
			t.Errorf("%d is %s, %d, %v; want %s", status, s, s.ExitStatus(), ok, name)
		}
		var read check.State
		if err := read.UnmarshalText([]byte(name)); err != nil || read != s {
			t.Errorf("%s is read as %s, %v", name, read, err)
		}
	}
	for _, status := range []int64{-1, 4, 256, math.MaxInt64, math.MinInt64} {
		if s, ok := check.StateOf(status); ok || s != check.StateUnknown {
			t.Errorf("%d is %s, %v; want UNKNOWN, false", status, s, ok)
		}
	}
	if s := check.State(9); s.String() != "UNKNOWN" || s.ExitStatus() != 3 {
		t.Errorf("a state that is none is %s, %d", s, s.ExitStatus())
	}
	if err := new(check.State).UnmarshalText([]byte("ok")); err == nil {
		t.Error("a name in small letters is a state")
	}
}

func TestWorse(t *testing.T) {
	t.Parallel()
	order := []check.State{check.StateOK, check.StateUnknown, check.StateWarning, check.StateCritical}
	for i, a := range order {
		for j, b := range order {
			if got, want := check.Worse(a, b), order[max(i, j)]; got != want {
				t.Errorf("of %s and %s the worse is %s, want %s", a, b, got, want)
			}
		}
	}
}

func TestRunnerFunc(t *testing.T) {
	t.Parallel()
	echo := check.RunnerFunc(func(ctx context.Context, req check.Request) (check.Result, error) {
		return check.Result{State: check.StateOK, Text: req.Command}, ctx.Err()
	})
	var runner check.Runner = echo
	r, err := runner.Run(t.Context(), check.Request{Command: "x"})
	if err != nil || r.Text != "x" {
		t.Errorf("%+v, %v", r, err)
	}
	if r := check.Unknown(errors.New("no such command")); r.State != check.StateUnknown || r.Text != "no such command" {
		t.Errorf("%+v", r)
	}
}

func TestResultJSON(t *testing.T) {
	t.Parallel()
	status, low := int64(1), 0.0
	for _, row := range []struct {
		name   string
		result check.Result
		want   string
	}{
		{"zero", check.Result{},
			`{"state":"UNKNOWN","exit_status":3,"text":"","long":"","perf":[],` +
				`"usage":{"wall_seconds":0,"instructions":0,"memory_bytes":0,"output_bytes":0,"exit_status":null}}`},
		{"all", check.Result{
			State: check.StateWarning, Text: "a", Long: "b\nc",
			Perf: []check.Perf{
				{Label: "d e", Value: 1.5, Unit: "s", Warn: &check.Range{Start: 10, End: 20}, Crit: &check.Range{Start: math.Inf(-1), End: 5, Inside: true}, Min: &low},
				{Label: "f", Value: math.NaN(), Max: new(math.Inf(1))},
			},
			Usage: check.Usage{Wall: 1500 * time.Microsecond, Instructions: math.MaxUint64, Memory: 1 << 40, Output: 3, ExitStatus: &status},
		},
			`{"state":"WARNING","exit_status":1,"text":"a","long":"b\nc","perf":[` +
				`{"label":"d e","value":1.5,"unit":"s","warn":"10:20","crit":"@~:5","min":0,"max":null},` +
				`{"label":"f","value":null,"unit":"","warn":null,"crit":null,"min":null,"max":null}],` +
				`"usage":{"wall_seconds":0.0015,"instructions":18446744073709551615,"memory_bytes":1099511627776,"output_bytes":3,"exit_status":1}}`},
	} {
		got, err := json.Marshal(row.result)
		if err != nil || string(got) != row.want {
			t.Errorf("%s: %s, %v\nwant %s", row.name, got, err, row.want)
		}
		var read check.Result
		if err := json.Unmarshal(got, &read); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if again, err := json.Marshal(read); err != nil || string(again) != row.want || read.Usage.Wall != row.result.Usage.Wall {
			t.Errorf("%s: read and written again it is %s, %v", row.name, again, err)
		}
	}
}

func TestResultJSONRefuses(t *testing.T) {
	t.Parallel()
	for _, document := range []string{
		`[]`, `{"state": "GOOD"}`, `{"state": 1}`, `{"perf": [{"warn": "x"}]}`, `{"perf": [{"value": "1"}]}`, `{"usage": {"wall_seconds": "1"}}`,
	} {
		if err := json.Unmarshal([]byte(document), new(check.Result)); err == nil {
			t.Errorf("%s is read", document)
		}
	}
}
