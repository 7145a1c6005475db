package check

import (
	"encoding/json"
	"math"
	"time"
)

// MarshalJSON writes the form of a Result that "run --output json" prints and
// that clients may rely on. Every key is always there; what there is none of is
// null. Keys may be added, none changes its meaning.
//
//	{
//	  "state": "WARNING",       OK, WARNING, CRITICAL or UNKNOWN
//	  "exit_status": 1,         the state's number: 0, 1, 2 or 3
//	  "text": "...",            the first line
//	  "long": "...",            the other lines, separated by "\n"
//	  "perf": [...],            performance data, see Perf.MarshalJSON
//	  "usage": {...}            what the run took, see Usage.MarshalJSON
//	}
func (r Result) MarshalJSON() ([]byte, error) {
	return json.Marshal(resultJSON{r.State, r.State.ExitStatus(), r.Text, r.Long, append([]Perf{}, r.Perf...), r.Usage})
}

// UnmarshalJSON reads what MarshalJSON wrote. Keys that it does not know are those
// of a later version, and are skipped.
func (r *Result) UnmarshalJSON(document []byte) error {
	var j resultJSON
	if err := json.Unmarshal(document, &j); err != nil {
		return err
	}
	*r = Result{j.State, j.Text, j.Long, append([]Perf(nil), j.Perf...), j.Usage}
	return nil
}

type resultJSON struct {
	State      State  `json:"state"`
	ExitStatus int    `json:"exit_status"`
	Text       string `json:"text"`
	Long       string `json:"long"`
	Perf       []Perf `json:"perf"`
	Usage      Usage  `json:"usage"`
}

// MarshalJSON writes an item with numbers as numbers and ranges as text; a
// value that is not determined, NaN or infinite, is null.
//
//	{"label": "/", "value": 93.5, "unit": "%", "warn": "80", "crit": "~:90", "min": 0, "max": 100}
func (p Perf) MarshalJSON() ([]byte, error) {
	return json.Marshal(perfJSON{p.Label, ifFinite(&p.Value), p.Unit, p.Warn, p.Crit, ifFinite(p.Min), ifFinite(p.Max)})
}

// UnmarshalJSON reads what MarshalJSON wrote; a value of null is NaN.
func (p *Perf) UnmarshalJSON(document []byte) error {
	var j perfJSON
	if err := json.Unmarshal(document, &j); err != nil {
		return err
	}
	value := math.NaN()
	if j.Value != nil {
		value = *j.Value
	}
	*p = Perf{j.Label, value, j.Unit, j.Warn, j.Crit, j.Min, j.Max}
	return nil
}

type perfJSON struct {
	Label string   `json:"label"`
	Value *float64 `json:"value"`
	Unit  string   `json:"unit"`
	Warn  *Range   `json:"warn"`
	Crit  *Range   `json:"crit"`
	Min   *float64 `json:"min"`
	Max   *float64 `json:"max"`
}

func ifFinite(v *float64) *float64 {
	if v == nil || !finite(*v) {
		return nil
	}
	return v
}

// MarshalText writes the range as String does.
func (r Range) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a range as ParseRange does.
func (r *Range) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRange(string(text))
	return err
}

// MarshalJSON writes what a run took; a zero was not measured. exit_status is
// the script's raw exit status, null where there was none.
//
//	{"wall_seconds": 0.0021, "instructions": 81234, "memory_bytes": 131072, "output_bytes": 57, "exit_status": 1}
func (u Usage) MarshalJSON() ([]byte, error) {
	return json.Marshal(usageJSON{u.Wall.Seconds(), u.Instructions, u.Memory, u.Output, u.ExitStatus})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (u *Usage) UnmarshalJSON(document []byte) error {
	var j usageJSON
	if err := json.Unmarshal(document, &j); err != nil {
		return err
	}
	*u = Usage{time.Duration(math.Round(j.Wall * float64(time.Second))), j.Instructions, j.Memory, j.Output, j.ExitStatus}
	return nil
}

type usageJSON struct {
	Wall         float64 `json:"wall_seconds"`
	Instructions uint64  `json:"instructions"`
	Memory       int64   `json:"memory_bytes"`
	Output       int64   `json:"output_bytes"`
	ExitStatus   *int64  `json:"exit_status"`
}
