package check

import (
	"encoding/json"
	"time"
)

// An Event tells subscribers of one run of a command.
type Event struct {
	// Number counts the events of one agent from 1 without gaps; a gap that a
	// subscriber sees is an event it was too slow for.
	Number uint64
	// Time is when the run ended.
	Time time.Time
	// Module is the module that the command belongs to; empty when no command
	// of that name was found.
	Module string
	// Request is what was asked.
	Request Request
	// Result is what was answered; Unknown(Err) if Err is set.
	Result Result
	// Err is why the check could not be run; nil when it ran.
	Err error
	// Standing is how the scheduled check stands that the run was one of; nil if
	// it was none.
	Standing *Standing
}

// StateChange tells whether the run changed the hard state of a scheduled check.
func (e Event) StateChange() bool { return e.Standing != nil && e.Standing.Changed }

// A Standing is how a scheduled check stands after one of its runs, with states
// and retries as Nagios counts them: a check that is not OK is in a soft state
// until it was so MaxAttempts times in a row.
// https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/statetypes.html
type Standing struct {
	// Check is the name of the scheduled check.
	Check string
	// Hard is whether the state of the Result is a hard one.
	Hard bool
	// HardState is the last hard state, the one of the Result if Hard.
	HardState State
	// Changed is whether the run changed HardState.
	Changed bool
	// Attempt counts the runs of the current soft state from 1; of a hard
	// problem it is MaxAttempts, and of a hard OK it is 1.
	Attempt, MaxAttempts int
	// Since is when HardState last changed.
	Since time.Time
}

// MarshalJSON writes the form that subscribers read. Arguments are left out:
// they may be secrets. Keys may be added, none changes its meaning.
//
//	{
//	  "number": 17,
//	  "time": "2006-01-02T15:04:05.999999999Z",
//	  "module": "web",             "" when no command of that name was found
//	  "command": "check_http",
//	  "origin": "schedule",
//	  "result": {...},             see Result.MarshalJSON
//	  "error": "",                 why the check could not be run
//	  "state_change": true,        whether a hard state changed
//	  "standing": {...}            null of a run that was not scheduled
//	}
func (e Event) MarshalJSON() ([]byte, error) {
	j := eventJSON{e.Number, e.Time, e.Module, e.Request.Command, e.Request.Origin, e.Result, "", e.StateChange(), e.Standing}
	if e.Err != nil {
		j.Error = e.Err.Error()
	}
	return json.Marshal(j)
}

type eventJSON struct {
	Number      uint64    `json:"number"`
	Time        time.Time `json:"time"`
	Module      string    `json:"module"`
	Command     string    `json:"command"`
	Origin      Origin    `json:"origin"`
	Result      Result    `json:"result"`
	Error       string    `json:"error"`
	StateChange bool      `json:"state_change"`
	Standing    *Standing `json:"standing"`
}

// MarshalJSON writes the form that subscribers read.
//
//	{
//	  "check": "site",
//	  "state_type": "HARD",        or "SOFT"
//	  "hard_state": "CRITICAL",
//	  "attempt": 3,
//	  "max_check_attempts": 3,
//	  "since": "2006-01-02T15:04:05.999999999Z"
//	}
func (s Standing) MarshalJSON() ([]byte, error) {
	return json.Marshal(standingJSON{s.Check, s.StateType(), s.HardState, s.Attempt, s.MaxAttempts, s.Since})
}

// StateType is "HARD" or "SOFT", as Nagios has it.
func (s Standing) StateType() string {
	if s.Hard {
		return "HARD"
	}
	return "SOFT"
}

type standingJSON struct {
	Check       string    `json:"check"`
	StateType   string    `json:"state_type"`
	HardState   State     `json:"hard_state"`
	Attempt     int       `json:"attempt"`
	MaxAttempts int       `json:"max_check_attempts"`
	Since       time.Time `json:"since"`
}
