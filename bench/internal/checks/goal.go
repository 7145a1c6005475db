//go:build linux

package checks

import (
	"fmt"

	"github.com/wasmagent/wasmagent/bench/internal/report"
)

// A goal is a ratio of two figures that is to be reached.
type goal struct {
	what     string
	want     float64
	most     bool // whether the ratio is to be no more than want, rather than no less
	measured float64
	of       string // the two figures
}

// reached says in the table's words whether the goal is.
func (g goal) reached() string {
	switch {
	case g.measured == 0:
		return "not measured"
	case g.most == (g.measured <= g.want) || g.measured == g.want:
		return "reached"
	}
	return "**not reached**"
}

// goals are all of them.
func (f *findings) goals() (list []goal) {
	for _, check := range []string{smallest, inC} {
		list = append(list,
			f.faster(15, check, "sandbox", smallest, "process"),
			f.cheaper(15, check, "sandbox", smallest, "process"))
	}
	list = append(list,
		f.faster(1.5, onSDK, "sandbox", smallest, "process"),
		f.faster(3, onSDK, "sandbox", onSDK, "process"),
		f.slower(1.3, inGo, "sandbox", inGo, "process"),
		f.faster(8, onSDK, "sandbox", onSDK, "Extism"))
	for _, check := range []string{smallest, inC, onSDK, inGo} {
		list = append(list, f.wider(1.8, check))
	}
	return append(append(list, f.among(1.1)...), f.metering(1.1)...)
}

// faster compares the p50 of two subjects.
func (f *findings) faster(want float64, check, way, otherCheck, otherWay string) goal {
	a, b := f.find(check, way, 1), f.find(otherCheck, otherWay, 1)
	return goal{
		what: fmt.Sprintf("%s, %s, against %s, %s: times faster", a.check, a.job.Way, b.named(), b.job.Way),
		want: want, measured: report.Ratio(float64(b.runs[1].p50()), float64(a.runs[1].p50())),
		of: report.Short(b.runs[1].p50()) + " / " + report.Short(a.runs[1].p50()),
	}
}

// cheaper compares the time on processors.
func (f *findings) cheaper(want float64, check, way, otherCheck, otherWay string) goal {
	a, b := f.find(check, way, 1), f.find(otherCheck, otherWay, 1)
	return goal{
		what: fmt.Sprintf("%s, %s, against %s, %s: times less CPU", a.check, a.job.Way, b.named(), b.job.Way),
		want: want, measured: report.Ratio(float64(b.runs[1].cpu()), float64(a.runs[1].cpu())),
		of: report.Short(b.runs[1].cpu()) + " / " + report.Short(a.runs[1].cpu()),
	}
}

// slower is faster the other way round.
func (f *findings) slower(want float64, check, way, otherCheck, otherWay string) goal {
	g := f.faster(want, otherCheck, otherWay, check, way)
	a, b := f.find(check, way, 1), f.find(otherCheck, otherWay, 1)
	g.what, g.most = fmt.Sprintf("%s, %s, against %s, %s: times slower", a.check, a.job.Way, b.named(), b.job.Way), true
	return g
}

// wider compares two processors with one.
func (f *findings) wider(want float64, check string) goal {
	s := f.find(check, "sandbox", 1)
	return goal{
		what: s.check + ", sandbox: runs a second on two processors, against one",
		want: want, measured: report.Ratio(s.runs[2].rate(), s.runs[1].rate()),
		of: fmt.Sprintf("%.0f / %.0f", s.runs[2].rate(), s.runs[1].rate()),
	}
}

// among compares a run among the most modules with one among one.
func (f *findings) among(want float64) (list []goal) {
	alone := f.find(smallest, "sandbox", 1)
	for _, s := range f.subjects {
		if s.check != smallest || s.job.Way != "sandbox" || s.job.Modules == 1 || s.job.Modules != f.most() {
			continue
		}
		which := "the same one"
		if s.turn {
			which = "each in turn"
		}
		list = append(list, goal{
			what: fmt.Sprintf("%s, sandbox: a run among %d modules, %s, against among one", s.check, s.job.Modules, which),
			want: want, most: true, measured: report.Ratio(float64(s.runs[1].p50()), float64(alone.runs[1].p50())),
			of: report.Short(s.runs[1].p50()) + " / " + report.Short(alone.runs[1].p50()),
		})
	}
	return list
}

// metering compares the example checks with what they are without a meter.
func (f *findings) metering(want float64) (list []goal) {
	for _, m := range f.metered {
		list = append(list, goal{
			what: m.check + ", metered, against without a meter", want: want, most: true,
			measured: report.Ratio(float64(m.with), float64(m.without)),
			of:       report.Short(m.with) + " / " + report.Short(m.without),
		})
	}
	return list
}
