package check

import "fmt"

// State is the state of a check, with the meanings of the Monitoring Plugins.
// The zero State is UNKNOWN, so that an empty Result never reads as OK.
type State uint8

// The four plugin states.
const (
	StateUnknown State = iota
	StateOK
	StateWarning
	StateCritical
)

var stateNames = [...]string{"UNKNOWN", "OK", "WARNING", "CRITICAL"}
var exitStatuses = [...]int{3, 0, 1, 2}

// String is the state's name in capitals, as plugins print it.
func (s State) String() string {
	if int(s) >= len(stateNames) {
		return stateNames[StateUnknown]
	}
	return stateNames[s]
}

// ExitStatus is the plugin exit status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
func (s State) ExitStatus() int {
	if int(s) >= len(exitStatuses) {
		return exitStatuses[StateUnknown]
	}
	return exitStatuses[s]
}

// StateOf is the state that an exit status stands for; ok is false outside 0-3.
func StateOf(status int64) (s State, ok bool) {
	for s, n := range exitStatuses {
		if int64(n) == status {
			return State(s), true
		}
	}
	return StateUnknown, false
}

// Worse returns the worse of two states: CRITICAL, then WARNING, then UNKNOWN,
// then OK, the order in which Monitoring Plugins aggregate.
func Worse(a, b State) State {
	if severity[b] > severity[a] {
		return b
	}
	return a
}

var severity = [...]int{StateOK: 0, StateUnknown: 1, StateWarning: 2, StateCritical: 3}

// MarshalText writes the state's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a state's name in capitals.
func (s *State) UnmarshalText(text []byte) error {
	for i, name := range stateNames {
		if name == string(text) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("state %q: want OK, WARNING, CRITICAL or UNKNOWN", text)
}
