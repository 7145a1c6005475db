package builtin

import (
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/facts"
)

// System is the module CheckSystem: checks of the machine itself. It is safe
// for concurrent use.
type System struct {
	machine machine
	cpu     trail[facts.CPU]
	network trail[facts.Network]
	sampler *sampler
}

// NewSystem returns CheckSystem for the machine that src reads. Nothing is
// sampled until CheckSystem.add asks for it.
func NewSystem(src *facts.Source) *System {
	m := machineOf(src)
	return newSystem(m, openCounter)
}

func newSystem(m machine, open opener) *System {
	return &System{machine: m, sampler: newSampler(m, open)}
}

// Name is "CheckSystem".
func (s *System) Name() string { return "CheckSystem" }

// Description is one sentence for people.
func (s *System) Description() string {
	return "checks the machine: processors, memory, disks, network, processes, services and performance counters"
}

// Commands are the module's commands by name.
func (s *System) Commands() map[string]check.Runner { return commands(s.list()...) }

func (s *System) list() []*command {
	return []*command{
		s.checkCPU(), s.checkMemory(), s.checkSwap(), s.checkLoad(), s.checkDrivesize(), s.checkUptime(),
		s.checkProcess(), s.checkService(), s.checkNetwork(), s.checkOSVersion(), s.checkPDH(), s.addCounter(),
	}
}

// Close stops the sampling of counters and forgets them. It returns nil.
func (s *System) Close() error {
	s.sampler.close()
	return nil
}

// since is the option of the checks that average over time.
func since() option {
	return option{name: "time", value: "TIME", preset: "1m", parse: span(time.Second, trailLength),
		help: "average over this long, as far as earlier calls reach back"}
}
