package check

import "encoding/json"

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
	return json.Marshal(struct {
		State      State  `json:"state"`
		ExitStatus int    `json:"exit_status"`
		Text       string `json:"text"`
		Long       string `json:"long"`
		Perf       []Perf `json:"perf"`
		Usage      Usage  `json:"usage"`
	}{r.State, r.State.ExitStatus(), r.Text, r.Long, append([]Perf{}, r.Perf...), r.Usage})
}

// MarshalJSON writes an item with numbers as numbers and ranges as text; a
// value that is not determined, NaN or infinite, is null.
//
//	{"label": "/", "value": 93.5, "unit": "%", "warn": "80", "crit": "~:90", "min": 0, "max": 100}
func (p Perf) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Label string   `json:"label"`
		Value *float64 `json:"value"`
		Unit  string   `json:"unit"`
		Warn  *Range   `json:"warn"`
		Crit  *Range   `json:"crit"`
		Min   *float64 `json:"min"`
		Max   *float64 `json:"max"`
	}{p.Label, ifFinite(&p.Value), p.Unit, p.Warn, p.Crit, ifFinite(p.Min), ifFinite(p.Max)})
}

func ifFinite(v *float64) *float64 {
	if v == nil || !finite(*v) {
		return nil
	}
	return v
}

// MarshalText writes the range as String does.
func (r Range) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// MarshalJSON writes what a run took; a zero was not measured. exit_status is
// the script's raw exit status, null where there was none.
//
//	{"wall_seconds": 0.0021, "instructions": 81234, "memory_bytes": 131072, "output_bytes": 57, "exit_status": 1}
func (u Usage) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Wall         float64 `json:"wall_seconds"`
		Instructions uint64  `json:"instructions"`
		Memory       int64   `json:"memory_bytes"`
		Output       int64   `json:"output_bytes"`
		ExitStatus   *int64  `json:"exit_status"`
	}{u.Wall.Seconds(), u.Instructions, u.Memory, u.Output, u.ExitStatus})
}
