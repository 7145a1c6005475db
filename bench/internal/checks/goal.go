//go:build linux

package checks

import (
	"fmt"
	"time"

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

// ratio is a goal of two times.
func ratio(what string, want float64, a, b time.Duration) goal {
	return goal{
		what: what, want: want, measured: report.Ratio(float64(a), float64(b)),
		of: report.Short(a) + " / " + report.Short(b),
	}
}

// atMost is the goal of a ratio that is to be no more.
func (g goal) atMost() goal {
	g.most = true
	return g
}

// goals are all of them.
func (f *findings) goals() (list []goal) {
	for _, check := range []string{smallest, inC} {
		list = append(list, f.faster(15, check, smallest, "process"), f.cheaper(15, check, smallest, "process"))
	}
	list = append(list,
		f.faster(1.5, onSDK, smallest, "process"),
		f.faster(3, onSDK, onSDK, "process"),
		f.slower(1.3, inGo, inGo, "process").atMost(),
		f.faster(8, onSDK, onSDK, "Extism"))
	for _, check := range []string{smallest, inC, onSDK, inGo} {
		list = append(list, f.wider(1.8, check))
	}
	return append(append(list, f.among(1.1)...), f.metering(1.1)...)
}

// faster compares the p50 of a check in the sandbox with that of one in some way.
func (f *findings) faster(want float64, check, other, way string) goal {
	a, b := f.find(check, "sandbox", 1), f.find(other, way, 1)
	return ratio(against(a, b)+": times faster", want, b.runs[1].p50(), a.runs[1].p50())
}

// cheaper compares the time on processors.
func (f *findings) cheaper(want float64, check, other, way string) goal {
	a, b := f.find(check, "sandbox", 1), f.find(other, way, 1)
	return ratio(against(a, b)+": times less CPU", want, b.runs[1].cpu(), a.runs[1].cpu())
}

// slower is faster the other way round.
func (f *findings) slower(want float64, check, other, way string) goal {
	a, b := f.find(check, "sandbox", 1), f.find(other, way, 1)
	return ratio(against(a, b)+": times slower", want, a.runs[1].p50(), b.runs[1].p50())
}

// against names two subjects that are compared.
func against(a, b *subject) string {
	return fmt.Sprintf("%s, %s, against %s, %s", a.check, a.job.Way, b.named(), b.job.Way)
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
		what := fmt.Sprintf("%s, sandbox: a run among %d modules, %s, against among one", s.check, s.job.Modules, which)
		list = append(list, ratio(what, want, s.runs[1].p50(), alone.runs[1].p50()).atMost())
	}
	return list
}

// metering compares the example checks with what they are without a meter.
func (f *findings) metering(want float64) (list []goal) {
	for _, m := range f.metered {
		list = append(list, ratio(m.check+", metered, against without a meter", want, m.with, m.without).atMost())
	}
	return list
}
