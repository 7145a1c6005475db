package builtin

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/wasmagent/wasmagent/internal/lazyregexp"
)

// A measure is what a number may be given in.
type measure struct {
	units map[string]float64 // by unit in small letters: how many base units
	whole string             // what 100% is; empty where percent means nothing
}

const (
	kilo = 1 << 10
	mega = 1 << 20
	giga = 1 << 30
	tera = 1 << 40
	peta = 1 << 50
)

// The measures of the built-in checks. Units of bytes are powers of 1024, as
// NSClient++ has them, however they are spelled.
var (
	plain   = measure{units: map[string]float64{"": 1}}
	percent = measure{units: map[string]float64{"": 1, "%": 1}}
	seconds = measure{units: map[string]float64{
		"": 1, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400,
	}}
	bytes = measure{units: map[string]float64{
		"": 1, "b": 1,
		"k": kilo, "kb": kilo, "kib": kilo, "m": mega, "mb": mega, "mib": mega, "g": giga, "gb": giga, "gib": giga,
		"t": tera, "tb": tera, "tib": tera, "p": peta, "pb": peta, "pib": peta,
	}}
)

// shareOf is m where a percentage means a share of whole.
func (m measure) shareOf(whole string) measure {
	m.whole = whole
	return m
}

var numberUnit = lazyregexp.New(`^\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z%]*)\s*$`)

func splitNumber(s string) (n float64, unit string, err error) {
	m := numberUnit().FindStringSubmatch(s)
	if m == nil {
		return 0, "", fmt.Errorf("%q is no number", s)
	}
	n, err = strconv.ParseFloat(m[1], 64)
	if err != nil || math.IsInf(n, 0) {
		return 0, "", fmt.Errorf("%q is too large a number", s)
	}
	return n, m[2], nil
}

// number reads a number with its unit, in base units.
func (m measure) number(s string) (float64, error) {
	n, unit, err := splitNumber(s)
	if err != nil {
		return 0, err
	}
	factor, ok := m.units[strings.ToLower(unit)]
	if !ok {
		return 0, fmt.Errorf("%q: %s", s, m.complaint(unit))
	}
	return n * factor, nil
}

func (m measure) complaint(unit string) string {
	known := make([]string, 0, len(m.units))
	for u := range m.units {
		if u != "" {
			known = append(known, u)
		}
	}
	slices.SortFunc(known, func(a, b string) int {
		if m.units[a] != m.units[b] {
			return int(math.Copysign(1, m.units[a]-m.units[b]))
		}
		return strings.Compare(a, b)
	})
	if m.whole != "" {
		known = append(known, "%")
	}
	if len(known) == 0 {
		return fmt.Sprintf("a plain number is wanted, without %q", unit)
	}
	return fmt.Sprintf("unit %q is none of %s", unit, strings.Join(known, ", "))
}

// humanBytes writes a size for people, in powers of 1024.
func humanBytes(n float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i := 0
	for ; math.Abs(n) >= kilo && i < len(units)-1; i++ {
		n /= kilo
	}
	if i == 0 {
		return fmt.Sprintf("%.0f B", n)
	}
	return fmt.Sprintf("%.1f %s", n, units[i])
}

// humanTime writes seconds for people, in the two largest units that apply.
func humanTime(s float64) string {
	if s < 1 {
		return strconv.FormatFloat(math.Round(s*1000), 'f', -1, 64) + "ms"
	}
	parts := make([]string, 0, 2)
	rest := math.Round(s)
	for _, u := range []struct {
		name string
		size float64
	}{{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}} {
		if n := math.Floor(rest / u.size); n > 0 && len(parts) < 2 {
			parts = append(parts, strconv.FormatFloat(n, 'f', -1, 64)+u.name)
			rest -= n * u.size
		}
	}
	return strings.Join(parts, " ")
}

// humanPercent writes a percentage with one decimal, or none if it is zero.
func humanPercent(p float64) string {
	return strconv.FormatFloat(math.Round(p*10)/10, 'f', -1, 64) + "%"
}

// tidy rounds a computed figure to four decimals, so that performance data
// does not end in the noise of floating point.
func tidy(v float64) float64 { return math.Round(v*1e4) / 1e4 }
