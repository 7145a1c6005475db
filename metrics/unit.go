package metrics

import (
	"math"

	"github.com/wasmagent/wasmagent/check"
)

// A dimension is what a number measures; it ends the names of metrics.
type dimension string

const (
	duration dimension = "seconds"
	size     dimension = "bytes"
	ratio    dimension = "ratio"
	total    dimension = "total" // a counter
	plain    dimension = "value" // anything else, in the unit that the label "unit" names
)

// A unit is how numbers of one unit become numbers of the base unit. One of the
// two factors is 1, so that a number is rounded once.
type unit struct {
	dimension        dimension
	multiply, divide float64
}

// units are the units of performance data that have a base unit. Those of bytes
// are powers of 1024 even without an "i": so count the Monitoring Plugins and
// NSClient++.
var units = map[string]unit{
	"ns": {duration, 1, 1e9},
	"us": {duration, 1, 1e6},
	"µs": {duration, 1, 1e6}, // U+00B5 MICRO SIGN
	"μs": {duration, 1, 1e6}, // U+03BC GREEK SMALL LETTER MU
	"ms": {duration, 1, 1e3},
	"s":  {duration, 1, 1},
	"%":  {ratio, 1, 100},
	"c":  {total, 1, 1},
	"B":  {size, 1, 1},
	"KB": {size, 1 << 10, 1}, "kB": {size, 1 << 10, 1}, "KiB": {size, 1 << 10, 1},
	"MB": {size, 1 << 20, 1}, "MiB": {size, 1 << 20, 1},
	"GB": {size, 1 << 30, 1}, "GiB": {size, 1 << 30, 1},
	"TB": {size, 1 << 40, 1}, "TiB": {size, 1 << 40, 1},
	"PB": {size, 1 << 50, 1}, "PiB": {size, 1 << 50, 1},
	"EB": {size, 1 << 60, 1}, "EiB": {size, 1 << 60, 1},
}

// unitOf is the unit of an item. A counter that is negative is none.
func unitOf(p check.Perf) unit {
	u, known := units[p.Unit]
	if !known || u.dimension == total && p.Value < 0 {
		return unit{plain, 1, 1}
	}
	return u
}

// base is a number in the base unit; ok is false if it has no such number.
func (u unit) base(v float64) (_ float64, ok bool) {
	v = v * u.multiply / u.divide
	return v, !math.IsNaN(v) && !math.IsInf(v, 0)
}
