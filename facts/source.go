package facts

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shirou/gopsutil/v4/load"
)

// A Source reads the facts. Make one with New and keep it: shares of processor
// time are averages since its earlier samples. It is safe for concurrent use.
//
// Callers that ask for the same fact at the same time may be given the same
// value: read it and change nothing that it points to.
type Source struct {
	os          probe[OS]
	cpu         probe[CPU]
	load        probe[Load]
	memory      probe[Memory]
	swap        probe[Swap]
	disks       probe[Disks]
	filesystems probe[Filesystems]
	network     probe[Network]
	processes   probe[Processes]
	services    probe[Services]
	users       probe[Users]
	uptime      probe[Uptime]
	sensors     probe[Sensors]
}

// New returns a Source and takes its first processor sample.
func New() *Source {
	sampler := newSampler()
	usage := usageProbes{usage: usageOf}
	// Where load averages are emulated, this starts the emulation; it ends with
	// the context that is given first.
	_, _ = load.AvgWithContext(context.Background())
	return &Source{
		os:          probe[OS]{read: readOS},
		cpu:         probe[CPU]{read: sampler.read},
		load:        probe[Load]{read: readLoad},
		memory:      probe[Memory]{read: readMemory},
		swap:        probe[Swap]{read: readSwap},
		disks:       probe[Disks]{read: readDisks},
		filesystems: probe[Filesystems]{read: usage.read},
		network:     probe[Network]{read: readNetwork},
		processes:   probe[Processes]{read: readProcesses},
		services:    probe[Services]{read: readServices},
		users:       probe[Users]{read: readUsers},
		uptime:      probe[Uptime]{read: readUptime},
		sensors:     probe[Sensors]{read: readSensors},
	}
}

// table is every fact by its name. The methods may be listed, not called, on a
// nil Source.
func (s *Source) table() map[string]func(context.Context) (any, error) {
	return map[string]func(context.Context) (any, error){
		"os":          untyped(s.OS),
		"cpu":         untyped(s.CPU),
		"load":        untyped(s.Load),
		"memory":      untyped(s.Memory),
		"swap":        untyped(s.Swap),
		"disks":       untyped(s.Disks),
		"filesystems": untyped(s.Filesystems),
		"network":     untyped(s.Network),
		"processes":   untyped(s.Processes),
		"services":    untyped(s.Services),
		"users":       untyped(s.Users),
		"uptime":      untyped(s.Uptime),
		"sensors":     untyped(s.Sensors),
	}
}

func untyped[T any](read func(context.Context) (T, error)) func(context.Context) (any, error) {
	return func(ctx context.Context) (any, error) { return read(ctx) }
}

// Names lists the facts, sorted.
func Names() []string { return slices.Sorted(maps.Keys((*Source)(nil).table())) }

// Document reads the fact of that name as a JSON object that ends in a newline.
// The error of a name that does not exist lists those that do.
func (s *Source) Document(ctx context.Context, name string) ([]byte, error) {
	read, ok := s.table()[name]
	if !ok {
		return nil, fmt.Errorf("fact %q: there is none of that name; there are %s", name, strings.Join(Names(), ", "))
	}
	value, err := read(ctx)
	if err != nil {
		return nil, err
	}
	document, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("fact %q as JSON: %w", name, err)
	}
	return append(document, '\n'), nil
}

// OS reads what the operating system is.
func (s *Source) OS(ctx context.Context) (OS, error) { return s.os.value(ctx, "os") }

// CPU reads what the processors did since the newest earlier sample that is at
// least five seconds old, or since New. A reading that would cover less than a
// tenth of a second waits until it covers that much, so that a Source made a
// moment ago gives a meaningful figure too.
func (s *Source) CPU(ctx context.Context) (CPU, error) { return s.cpu.value(ctx, "cpu") }

// Load reads how much is waiting to run.
func (s *Source) Load(ctx context.Context) (Load, error) { return s.load.value(ctx, "load") }

// Memory reads the state of the physical memory.
func (s *Source) Memory(ctx context.Context) (Memory, error) { return s.memory.value(ctx, "memory") }

// Swap reads the state of the swap space.
func (s *Source) Swap(ctx context.Context) (Swap, error) { return s.swap.value(ctx, "swap") }

// Disks reads the counters of the block devices.
func (s *Source) Disks(ctx context.Context) (Disks, error) { return s.disks.value(ctx, "disks") }

// Filesystems reads how full the mounted file systems are. One that does not
// answer within a second has an Error instead of a Usage.
func (s *Source) Filesystems(ctx context.Context) (Filesystems, error) {
	return s.filesystems.value(ctx, "filesystems")
}

// Network reads the network interfaces and their counters.
func (s *Source) Network(ctx context.Context) (Network, error) {
	return s.network.value(ctx, "network")
}

// Processes reads the running processes.
func (s *Source) Processes(ctx context.Context) (Processes, error) {
	return s.processes.value(ctx, "processes")
}

// Services reads the services of the system's service manager. On Linux, macOS
// and FreeBSD it runs the manager's own command-line tool.
func (s *Source) Services(ctx context.Context) (Services, error) {
	return s.services.value(ctx, "services")
}

// Users reads who is logged in.
func (s *Source) Users(ctx context.Context) (Users, error) { return s.users.value(ctx, "users") }

// Uptime reads how long the system has been running.
func (s *Source) Uptime(ctx context.Context) (Uptime, error) { return s.uptime.value(ctx, "uptime") }

// Sensors reads the machine's sensors.
func (s *Source) Sensors(ctx context.Context) (Sensors, error) {
	return s.sensors.value(ctx, "sensors")
}
