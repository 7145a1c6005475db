package check

// A Perf is one item of performance data:
// 'label'=value[unit];[warn];[crit];[min];[max]
type Perf struct {
	// Label is the name, unquoted.
	Label string
	// Value is the measured value; NaN is "U", not determined.
	Value float64
	// Unit is the unit of measurement: "", "s", "ms", "us", "%", "B", "KB",
	// "MB", "GB", "TB", "c" (a continuous counter), or another one.
	Unit string
	// Warn and Crit are the thresholds; nil where there is none.
	Warn, Crit *Range
	// Min and Max bound the value; nil where there is none.
	Min, Max *float64
}

// A Range is a threshold range: an alert is raised for a value outside of
// Start..End, or within it if Inside is set.
// https://www.monitoring-plugins.org/doc/guidelines.html#THRESHOLDFORMAT
type Range struct {
	// Start and End are the bounds, both of them in the range; -Inf and +Inf
	// are its open ends.
	Start, End float64
	// Inside is the leading "@": alert inside the range.
	Inside bool
}

// Contains tells whether v is within Start..End, both ends included.
func (r Range) Contains(v float64) bool { return v >= r.Start && v <= r.End }

// Alerts tells whether v raises an alert. NaN never does.
func (r Range) Alerts(v float64) bool { return v == v && r.Contains(v) == r.Inside }
