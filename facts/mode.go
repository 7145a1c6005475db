package facts

import (
	"context"
	"errors"
	goruntime "runtime"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
)

// modeTimes is a time, or a share of time, for each mode.
type modeTimes [9]float64

// The modes. All before guest are distinct; guest is also part of user or nice.
const (
	modeUser = iota
	modeSystem
	modeIdle
	modeNice
	modeIowait
	modeIrq
	modeSoftirq
	modeSteal
	modeGuest
)

// coreTimes is the times of one core since the system started.
type coreTimes struct {
	name  string
	times modeTimes
}

// whole is the name of the one core of a system that does not tell its cores
// apart.
const whole = "cpu-total"

func takeSample(ctx context.Context) (sample, error) {
	stats, err := cpu.TimesWithContext(ctx, true)
	if err != nil {
		stats, err = cpu.TimesWithContext(ctx, false)
	}
	if err != nil {
		return sample{}, err
	}
	if len(stats) == 0 {
		return sample{}, errors.New("the system gives no processor times; on Linux they are in /proc/stat")
	}
	s := sample{at: time.Now(), cores: make([]coreTimes, 0, len(stats))}
	for _, t := range stats {
		s.cores = append(s.cores, coreTimes{t.CPU, newModeTimes(t)})
	}
	return s, nil
}

func newModeTimes(t cpu.TimesStat) modeTimes {
	if goruntime.GOOS == "windows" {
		t.System = max(t.System-t.Irq, 0) // Windows counts interrupts as kernel time too
	}
	return modeTimes{
		modeUser: t.User, modeSystem: t.System, modeIdle: t.Idle, modeNice: t.Nice, modeIowait: t.Iowait,
		modeIrq: t.Irq, modeSoftirq: t.Softirq, modeSteal: t.Steal, modeGuest: t.Guest + t.GuestNice,
	}
}

func (t *modeTimes) add(u modeTimes) {
	for i := range t {
		t[i] += u[i]
	}
}

// less is t-u, and zero for a mode whose counter went backwards, as that of
// iowait does on Linux.
func (t modeTimes) less(u modeTimes) modeTimes {
	for i := range t {
		t[i] = max(t[i]-u[i], 0)
	}
	return t
}

// shares is t as fractions of its sum. Where no time was counted at all, as on
// a halted core, that is all idle.
func (t modeTimes) shares() modeTimes {
	sum := 0.0
	for _, v := range t[:modeGuest] {
		sum += v
	}
	if sum == 0 {
		return modeTimes{modeIdle: 1}
	}
	for i := range t {
		t[i] = min(t[i]/sum, 1)
	}
	return t
}

// busy is the share of time that is neither idle nor iowait.
func (t modeTimes) busy() float64 { return min(max(1-t[modeIdle]-t[modeIowait], 0), 1) }

// modes leaves out what the system does not count.
func (t modeTimes) modes() Modes {
	goos := goruntime.GOOS
	linux := goos == "linux"
	return Modes{
		User:    t[modeUser],
		System:  t[modeSystem],
		Idle:    t[modeIdle],
		Nice:    given(goos != "windows", t[modeNice]),
		Iowait:  given(linux, t[modeIowait]),
		Irq:     given(goos != "darwin", t[modeIrq]),
		Softirq: given(linux, t[modeSoftirq]),
		Steal:   given(linux, t[modeSteal]),
		Guest:   given(linux, t[modeGuest]),
	}
}
