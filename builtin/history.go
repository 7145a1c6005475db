package builtin

import "time"

// A history keeps the samples of one counter in constant memory: averages of a
// second for ten minutes, and of a minute for a day. It is not safe for
// concurrent use. Times are since the sampler's start.
type history struct {
	fine, coarse ring
	newest       time.Duration
	latest       float64
}

const historyLength = 24 * time.Hour

func newHistory() *history {
	return &history{fine: newRing(time.Second, 600), coarse: newRing(time.Minute, int(historyLength/time.Minute))}
}

func (h *history) add(at time.Duration, v float64) {
	h.fine.add(at, v)
	h.coarse.add(at, v)
	h.newest, h.latest = at, v
}

// mean is the average of the samples of the last span before now, and how many
// there were.
func (h *history) mean(now, span time.Duration) (mean float64, n int) {
	if span <= h.fine.length() {
		return h.fine.mean(now, span)
	}
	return h.coarse.mean(now, span)
}

// A ring holds sums of samples, one sum for each step of time.
type ring struct {
	step  time.Duration
	slots []slot
}

// A slot is the sum of the samples of one step.
type slot struct {
	step int64
	sum  float64
	n    int
}

func newRing(step time.Duration, n int) ring { return ring{step, make([]slot, n)} }

func (r ring) length() time.Duration { return r.step * time.Duration(len(r.slots)) }

func (r ring) add(at time.Duration, v float64) {
	step := int64(at / r.step)
	s := &r.slots[step%int64(len(r.slots))]
	if s.step != step {
		*s = slot{step: step}
	}
	s.sum += v
	s.n++
}

func (r ring) mean(now, span time.Duration) (mean float64, n int) {
	newest := int64(now / r.step)
	steps := min(int64((span+r.step-1)/r.step), int64(len(r.slots)))
	sum := 0.0
	for _, s := range r.slots {
		if s.n > 0 && s.step <= newest && s.step > newest-steps {
			sum += s.sum
			n += s.n
		}
	}
	return sum / float64(max(n, 1)), n
}
