package schedule

// MaxRuns is the most checks that run at one time.
const MaxRuns = maxRuns

// On makes a Scheduler that of a machine.
func (s *Scheduler) On(machine string) *Scheduler {
	s.machine = machine
	return s
}
