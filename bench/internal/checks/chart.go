//go:build linux

package checks

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/bench/internal/report"
)

// A bar is one line of the chart.
type bar struct {
	name, colour string
	p50, p99     time.Duration
}

// A group is the bars of one check.
type group struct {
	name string
	bars []bar
}

// colours are those of the ways. They, and the grey of the text, can be told from white
// as from black.
var colours = map[string]string{"sandbox": "#2da44e", "process": "#8c959f", "wazero": "#d4a72c", "Extism": "#a475f9"}

// groups are the subjects that have one module, as bars.
func (f *findings) groups() (list []group) {
	for _, s := range f.subjects {
		if s.job.Modules > 1 || s.runs[1].p50() == 0 {
			continue
		}
		if len(list) == 0 || list[len(list)-1].name != s.check {
			list = append(list, group{name: s.check})
		}
		last := &list[len(list)-1]
		name := s.job.Way
		if s.named() != s.check {
			name = "sh -c echo"
		}
		last.bars = append(last.bars, bar{name, colours[s.job.Way], s.runs[1].p50(), s.runs[1].p99()})
	}
	return list
}

// The places of the chart, in pixels.
const (
	chartWidth = 860
	barsLeft   = 200
	barsRight  = chartWidth - 90
	barHeight  = 14
	barStep    = 20
	groupGap   = 14
	chartTop   = 48
)

// chart draws the time of a run as SVG. The same figures make the same bytes.
func (f *findings) chart() []byte {
	groups, out := f.groups(), &bytes.Buffer{}
	scale, y := scaleOf(groups), chartTop
	for _, g := range groups {
		y += groupGap + len(g.bars)*barStep
	}
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="12" fill="#777">`+"\n", chartWidth, y+groupGap)
	fmt.Fprintln(out, `<title>Time of one run of a check: p50 as a bar, p99 as a line, on one processor</title>`)
	fmt.Fprintln(out, `<text x="8" y="18" font-size="14">One run of a check, on one processor: p50 as a bar, p99 as a line (logarithmic)</text>`)
	scale.draw(out, y)
	y = chartTop
	for _, g := range groups {
		y += groupGap
		fmt.Fprintf(out, `<text x="8" y="%d" font-weight="bold">%s</text>`+"\n", y+barHeight-3, escaped(g.name))
		for _, b := range g.bars {
			b.draw(out, scale, y)
			y += barStep
		}
	}
	fmt.Fprintln(out, "</svg>")
	return out.Bytes()
}

func (b bar) draw(w io.Writer, s scale, y int) {
	middle := y + barHeight/2
	fmt.Fprintf(w, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", barsLeft-8, y+barHeight-3, escaped(b.name))
	fmt.Fprintf(w, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", barsLeft, y, s.at(b.p50)-barsLeft, barHeight, b.colour)
	fmt.Fprintf(w, `<path d="M%.1f %d H%.1f M%.1[3]f %d V%d" stroke="%s" fill="none"/>`+"\n", s.at(b.p50), middle, s.at(b.p99), middle-3, middle+3, b.colour)
	fmt.Fprintf(w, `<text x="%.1f" y="%d">%s</text>`+"\n", s.at(b.p99)+6, y+barHeight-3, report.Short(b.p50))
}

// A scale is logarithmic, from one power of ten to another.
type scale struct{ from, to int } // exponents, of seconds

func scaleOf(groups []group) scale {
	s := scale{from: -5, to: -4}
	for _, g := range groups {
		for _, b := range g.bars {
			s.from = min(s.from, int(math.Floor(math.Log10(b.p50.Seconds()))))
			s.to = max(s.to, int(math.Ceil(math.Log10(b.p99.Seconds()))))
		}
	}
	return s
}

// at is the place of a time.
func (s scale) at(d time.Duration) float64 {
	return barsLeft + (math.Log10(d.Seconds())-float64(s.from))/float64(s.to-s.from)*(barsRight-barsLeft)
}

// draw draws the powers of ten, down to y.
func (s scale) draw(w io.Writer, y int) {
	for exponent := s.from; exponent <= s.to; exponent++ {
		d := time.Duration(math.Round(math.Pow10(exponent + 9)))
		fmt.Fprintf(w, `<path d="M%.1f %d V%d" stroke="#777" stroke-opacity="0.35"/>`+"\n", s.at(d), chartTop, y)
		fmt.Fprintf(w, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", s.at(d), chartTop-6, power(d))
	}
}

// power is a power of ten for people.
func power(d time.Duration) string {
	number := strings.TrimRight(d.String(), "µms")
	return number + " " + strings.TrimPrefix(d.String(), number)
}

func escaped(text string) string {
	var out bytes.Buffer
	_ = xml.EscapeText(&out, []byte(text)) // a buffer takes all
	return out.String()
}
