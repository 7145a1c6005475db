package schedule

import (
	"time"

	"github.com/wasmagent/wasmagent/check"
)

// A counter counts the states of one check as Nagios does.
// https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/statetypes.html
//
// A check that has never run is in a hard OK. From there a problem is soft until
// it has been one in so many runs in a row as there are attempts. A soft problem
// may change its kind without the counting beginning anew; a hard one that does
// is a hard state at once. OK after a soft problem is a soft recovery, and the
// hard state has not changed.
type counter struct {
	hard  check.State
	since time.Time // when hard last changed, or the first run
	soft  int       // the runs of the soft problem, 0 if there is none
}

// count counts a run with its state, and says how the check stands after it but
// for its name.
func (c *counter) count(state check.State, attempts int, at time.Time) check.Standing {
	if c.since.IsZero() {
		c.since = at
	}
	s := check.Standing{Attempt: min(c.soft+1, attempts), MaxAttempts: attempts}
	switch {
	case state == check.StateOK && c.soft > 0: // a soft recovery
		c.soft = 0
	case state == check.StateOK:
		s.Hard = true
	case c.hard != check.StateOK || c.soft+1 >= attempts:
		s.Hard, s.Attempt = true, attempts
	default:
		c.soft++
	}
	if s.Hard {
		s.Changed = c.hard != state
		c.hard, c.soft = state, 0
	}
	if s.Changed {
		c.since = at
	}
	s.HardState, s.Since = c.hard, c.since
	return s
}
