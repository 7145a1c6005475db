package rest

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/wasmagent/wasmagent/check"
)

// executed is the answer to a command: its state as a number or by name, and its
// performance data in one of three forms.
type executed[State, Perf any] struct {
	Command string       `json:"command"`
	Result  State        `json:"result"`
	Lines   []line[Perf] `json:"lines"`
}

// A line is a message with its performance data. Clients put lines together
// without anything between them, so a result is one line, line breaks and all.
type line[Perf any] struct {
	Message string `json:"message"`
	Perf    Perf   `json:"perf"`
}

func executedResult(command string, r check.Result) executed[int, map[string]perfJSON] {
	return executed[int, map[string]perfJSON]{
		command, r.State.ExitStatus(), []line[map[string]perfJSON]{{message(r), perfByLabel(r.Perf)}},
	}
}

// legacyJSON is the answer of /query/NAME.
type legacyJSON struct {
	Payload []executed[string, []legacyPerf] `json:"payload"`
}

func legacyResult(command string, r check.Result) legacyJSON {
	return legacyJSON{[]executed[string, []legacyPerf]{{
		command, r.State.String(), []line[[]legacyPerf]{{message(r), perfList(r.Perf)}},
	}}}
}

// legacyPerf is an item of performance data in it. There is always a float_value:
// check_nscp_api crashes without.
type legacyPerf struct {
	Alias string   `json:"alias"`
	Value perfJSON `json:"float_value"`
}

// perfJSON is an item of performance data without its label.
type perfJSON struct {
	Value    value      `json:"value"`
	Unit     string     `json:"unit"`
	Warning  *threshold `json:"warning,omitempty"`
	Critical *threshold `json:"critical,omitempty"`
	Minimum  *float64   `json:"minimum,omitempty"`
	Maximum  *float64   `json:"maximum,omitempty"`
}

func message(r check.Result) string { return strings.TrimSuffix(r.Text+"\n"+r.Long, "\n") }

func perfOf(p check.Perf) perfJSON {
	return perfJSON{
		value(p.Value), p.Unit, (*threshold)(p.Warn), (*threshold)(p.Crit), ifFinite(p.Min), ifFinite(p.Max),
	}
}

// perfByLabel is the data by its labels. Of two items with one label the last
// stays.
func perfByLabel(list []check.Perf) map[string]perfJSON {
	perf := make(map[string]perfJSON)
	for _, p := range list {
		perf[p.Label] = perfOf(p)
	}
	return perf
}

func perfList(list []check.Perf) []legacyPerf {
	perf := []legacyPerf{}
	for _, p := range list {
		perf = append(perf, legacyPerf{p.Label, perfOf(p)})
	}
	return perf
}

func perfText(list []check.Perf) string {
	var items []string
	for _, p := range list {
		items = append(items, p.String())
	}
	return strings.Join(items, " ")
}

func ifFinite(v *float64) *float64 {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return nil
	}
	return v
}

// A value is a number, or "U" where it is not determined.
type value float64

func (v value) MarshalJSON() ([]byte, error) {
	if ifFinite((*float64)(&v)) == nil {
		return []byte(`"U"`), nil
	}
	return json.Marshal(float64(v))
}

// A threshold is a number where an alert is raised outside of 0 to it; any other
// range is its text. So is a number that check_nsc_web, which is written in Go,
// would print with an exponent, as programs that draw graphs do not read it.
type threshold check.Range

func (t threshold) MarshalJSON() ([]byte, error) {
	size := math.Abs(t.End)
	if plain := t.Start == 0 && !t.Inside && (size == 0 || size >= 1e-4 && size < 1e6); plain {
		return json.Marshal(t.End)
	}
	return json.Marshal(check.Range(t).String())
}
