package metrics_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/metrics"
)

func parsePerf(t testing.TB, perf string) []check.Perf {
	t.Helper()
	return check.Decode([]byte("text|"+perf), 0).Perf
}

// scheduled is the last event of a check that is in its second soft WARNING.
func scheduled(name, perf string) check.Event {
	r := check.Decode([]byte("text|"+perf), 1)
	r.Usage = check.Usage{Wall: 1250 * time.Millisecond, Instructions: 81234, Memory: 131072}
	return check.Event{
		Time: at(60), Module: "CheckSystem", Request: check.Request{Command: "check_drivesize", Args: []string{"secret"}, Origin: check.Schedule},
		Result:   r,
		Standing: &check.Standing{Check: name, HardState: check.StateOK, Attempt: 2, MaxAttempts: 3, Since: at(0)},
	}
}

// of are metrics of scheduled checks alone.
func of(events ...check.Event) *metrics.Metrics {
	return metrics.New(metrics.Config{Checks: func() []check.Event { return events }})
}

func TestChecks(t *testing.T) {
	t.Parallel()
	wantSeries(t, of(scheduled("disk", "'/ used'=25%;@80:90")), "wasmagent_check",
		`wasmagent_check_attempt{check="disk"} 2`,
		`wasmagent_check_duration_seconds{check="disk"} 1.25`,
		`wasmagent_check_failed{check="disk"} 0`,
		`wasmagent_check_hard_state{check="disk"} 0`,
		`wasmagent_check_hard_state_change_timestamp_seconds{check="disk"} 1.7000000005e+09`,
		`wasmagent_check_info{check="disk",command="check_drivesize",module="CheckSystem"} 1`,
		`wasmagent_check_instructions{check="disk"} 81234`,
		`wasmagent_check_last_run_timestamp_seconds{check="disk"} 1.7000000605e+09`,
		`wasmagent_check_max_attempts{check="disk"} 3`,
		`wasmagent_check_memory_bytes{check="disk"} 131072`,
		`wasmagent_check_perf_bound_ratio{bound="warning_from",check="disk",label="/ used"} 0.8`,
		`wasmagent_check_perf_bound_ratio{bound="warning_to",check="disk",label="/ used"} 0.9`,
		`wasmagent_check_perf_omitted{check="disk"} 0`,
		`wasmagent_check_perf_ratio{check="disk",label="/ used"} 0.25`,
		`wasmagent_check_state{check="disk"} 1`,
		`wasmagent_check_state_type{check="disk"} 0`)
}

func TestCheckThatCannotRun(t *testing.T) {
	t.Parallel()
	e := check.Event{Time: at(0), Err: errors.New("no such command"), Result: check.Unknown(errors.New("no such command")),
		Standing: &check.Standing{Check: "x", Hard: true, Attempt: 3, MaxAttempts: 3}}
	wantSeries(t, of(e), "wasmagent_check_failed", `wasmagent_check_failed{check="x"} 1`)
	wantSeries(t, of(e), "wasmagent_check_state", `wasmagent_check_state{check="x"} 3`, `wasmagent_check_state_type{check="x"} 1`)
	wantSeries(t, of(e), "wasmagent_check_hard_state", `wasmagent_check_hard_state{check="x"} 3`)
	wantSeries(t, of(e), "wasmagent_check_instructions")
}

func TestChecksOfOneName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", metrics.MaxLabel)
	m := of(
		scheduled("a", "x=1"), scheduled("a", "x=2"), check.Event{},
		scheduled(long+"y", "x=3"), scheduled(long+"z", "x=4"))
	wantSeries(t, m, "wasmagent_check_perf_value",
		`wasmagent_check_perf_value{check="a",label="x",unit=""} 1`,
		`wasmagent_check_perf_value{check="`+long+`",label="x",unit=""} 3`)
}

// perfRows are performance data with the series that they are, without
// "probe_perf_" at their beginning.
var perfRows = []struct {
	name, perf string
	want       []string
}{
	{"times", "a=7us b=1500ms c=3s d=250ns e=1µs f=2μs", []string{
		`seconds{label="a"} 7e-06`, `seconds{label="b"} 1.5`, `seconds{label="c"} 3`, `seconds{label="d"} 2.5e-07`,
		`seconds{label="e"} 1e-06`, `seconds{label="f"} 2e-06`}},
	{"sizes", "a=512B b=2KB c=2kB d=1.5MB e=1GB f=1TB g=1KiB h=1MiB i=1GiB", []string{
		`bytes{label="a"} 512`, `bytes{label="b"} 2048`, `bytes{label="c"} 2048`, `bytes{label="d"} 1.572864e+06`,
		`bytes{label="e"} 1.073741824e+09`, `bytes{label="f"} 1.099511627776e+12`, `bytes{label="g"} 1024`,
		`bytes{label="h"} 1.048576e+06`, `bytes{label="i"} 1.073741824e+09`}},
	{"ratios and counters", "a=7% b=12c c=-1c", []string{
		`ratio{label="a"} 0.07`, `total{label="b"} 12`, `value{label="c",unit="c"} -1`}},
	{"other units", "a=7 b=5W c=20C", []string{
		`value{label="a",unit=""} 7`, `value{label="b",unit="W"} 5`, `value{label="c",unit="C"} 20`}},
	{"bounds", "a=7ms;10;~:20;0;100 b=1c;5 c=2KB;@1:3;4:", []string{
		`bound_bytes{bound="critical_below",label="c"} 4096`,
		`bound_bytes{bound="warning_from",label="c"} 1024`, `bound_bytes{bound="warning_to",label="c"} 3072`,
		`bound_seconds{bound="critical_above",label="a"} 0.02`,
		`bound_seconds{bound="max",label="a"} 0.1`, `bound_seconds{bound="min",label="a"} 0`,
		`bound_seconds{bound="warning_above",label="a"} 0.01`, `bound_seconds{bound="warning_below",label="a"} 0`,
		`bound_value{bound="warning_above",label="b",unit="c"} 5`, `bound_value{bound="warning_below",label="b",unit="c"} 0`,
		`bytes{label="c"} 2048`, `seconds{label="a"} 0.007`, `total{label="b"} 1`}},
	{"not determined", "a=U;1;2 b=1e300EB c=1", []string{`value{label="c",unit=""} 1`}},
	{"twice", "a=1s a=2s a=3B", []string{`seconds{label="a"} 1`}},
	{"not determined and then", "a=U a=2s", []string{`seconds{label="a"} 2`}},
	{"hostile", `'"}\ {x="'=1 'ü€'=2 ''=3`, []string{
		`value{label="",unit=""} 3`, `value{label="\"}\\ {x=\"",unit=""} 1`, `value{label="ü€",unit=""} 2`}},
}

func TestPerf(t *testing.T) {
	t.Parallel()
	for _, row := range perfRows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			items := parsePerf(t, row.perf)
			g := metrics.Probe(check.Result{Perf: items}, 0)
			var want []string
			values := 0
			for _, line := range row.want {
				want = append(want, "probe_perf_"+line)
				values += 1 - strings.Count(line, "bound_")
			}
			want = append(want, fmt.Sprintf("probe_perf_omitted %d", len(items)-values))
			slices.Sort(want)
			wantSeries(t, g, "probe_perf_", want...)
		})
	}
}

func TestLabelsThatNoPluginPrints(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", metrics.MaxLabel)
	g := metrics.Probe(check.Result{Perf: []check.Perf{
		{Label: "a\xff\x00", Value: 1}, {Label: "a\xfe\x00", Value: 2},
		{Label: long + "x", Value: 3}, {Label: long + "y", Value: 4},
		{Label: "unit", Value: 5, Unit: "\xff"},
		{Label: "nan", Value: math.NaN(), Unit: "s"}, {Label: "inf", Value: math.Inf(1)},
		{Label: "bounds", Value: 6, Warn: &check.Range{Start: math.NaN(), End: math.Inf(1)}, Min: new(math.NaN()), Max: new(7.0)},
	}}, 0)
	wantSeries(t, g, "probe_perf_",
		`probe_perf_bound_value{bound="max",label="bounds",unit=""} 7`,
		"probe_perf_omitted 4",
		`probe_perf_value{label="a`+"\uFFFD\x00"+`",unit=""} 1`,
		`probe_perf_value{label="bounds",unit=""} 6`,
		`probe_perf_value{label="unit",unit="`+"\uFFFD"+`"} 5`,
		`probe_perf_value{label="`+strings.Repeat("é", metrics.MaxLabel/2)+`",unit=""} 3`)
}

func TestPerfIsBounded(t *testing.T) {
	t.Parallel()
	var items []check.Perf
	for i := range 5 * metrics.MaxItems {
		items = append(items, check.Perf{Label: fmt.Sprint(i), Value: 1})
	}
	g := metrics.Probe(check.Result{Perf: items}, 0)
	if n := len(series(t, g, "probe_perf_value")); n != metrics.MaxItems {
		t.Errorf("one result has %d series, want %d", n, metrics.MaxItems)
	}
	wantSeries(t, g, "probe_perf_omitted", fmt.Sprintf("probe_perf_omitted %d", 4*metrics.MaxItems))

	var events []check.Event
	for i := range 2 * metrics.MaxAllItems / metrics.MaxItems {
		e := scheduled(fmt.Sprintf("check%04d", i), "")
		e.Result.Perf = items
		events = append(events, e)
	}
	m := of(events...)
	if n := len(series(t, m, "wasmagent_check_perf_value")); n != metrics.MaxAllItems {
		t.Errorf("all checks have %d series, want %d", n, metrics.MaxAllItems)
	}
	last := fmt.Sprintf(`wasmagent_check_perf_omitted{check="check%04d"}`, len(events)-1)
	wantSeries(t, m, last, fmt.Sprintf("%s %d", last, len(items)))
}

func TestProbe(t *testing.T) {
	t.Parallel()
	for state, success := range map[check.State]int{check.StateOK: 1, check.StateWarning: 0, check.StateCritical: 0, check.StateUnknown: 0} {
		g := metrics.Probe(check.Result{State: state}, 250*time.Millisecond)
		wantSeries(t, g, "probe_", "probe_duration_seconds 0.25", "probe_perf_omitted 0",
			fmt.Sprintf("probe_state %d", state.ExitStatus()), fmt.Sprintf("probe_success %d", success))
	}
}

func FuzzPerf(f *testing.F) {
	for _, row := range perfRows {
		f.Add("OK|" + row.perf)
	}
	f.Add("OK|a=1;2;3;4;5\nlong\nmore|b=@~:5%")
	f.Fuzz(func(t *testing.T, output string) {
		r := check.Decode([]byte(output), 0)
		e := scheduled(output, "")
		e.Result = r
		if n := len(series(t, metrics.Probe(r, 0), "probe_perf_")) - 1; n > 7*min(len(r.Perf), metrics.MaxItems) {
			t.Errorf("%d items have %d series", len(r.Perf), n)
		}
		if n := len(series(t, of(e, e), "wasmagent_check_state{")); n != 1 {
			t.Errorf("one check has %d states", n)
		}
	})
}
