package builtin

import (
	"context"
	"sync"

	"github.com/wasmagent/wasmagent/facts"
)

// A fact reads one fact about the machine.
type fact[T any] func(context.Context) (T, error)

// A machine is where the checks' figures come from.
type machine struct {
	cpu         fact[facts.CPU]
	os          fact[facts.OS]
	load        fact[facts.Load]
	memory      fact[facts.Memory]
	swap        fact[facts.Swap]
	disks       fact[facts.Disks]
	filesystems fact[facts.Filesystems]
	network     fact[facts.Network]
	processes   fact[facts.Processes]
	services    fact[facts.Services]
	uptime      fact[facts.Uptime]
}

// machineOf is the machine that src reads.
func machineOf(src *facts.Source) machine {
	return machine{
		cpu: src.CPU, os: src.OS, load: src.Load, memory: src.Memory, swap: src.Swap, disks: src.Disks,
		filesystems: src.Filesystems, network: src.Network, processes: src.Processes, services: src.Services,
		uptime: src.Uptime,
	}
}

// snapshot is a machine that reads each fact at most once, so that many
// counters of one moment cost one reading.
func (m machine) snapshot() machine {
	return machine{
		cpu: once(m.cpu), os: once(m.os), load: once(m.load), memory: once(m.memory), swap: once(m.swap),
		disks: once(m.disks), filesystems: once(m.filesystems), network: once(m.network),
		processes: once(m.processes), services: once(m.services), uptime: once(m.uptime),
	}
}

func once[T any](read fact[T]) fact[T] {
	var first sync.Once
	var value T
	var err error
	return func(ctx context.Context) (T, error) {
		first.Do(func() { value, err = read(ctx) })
		return value, err
	}
}
