package builtin_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/builtin"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/facts"
)

const (
	mib = 1 << 20
	gib = 1 << 30
)

func ptr[T any](v T) *T { return &v }

// always reads the same fact every time.
func always[T any](v T) func(context.Context) (T, error) {
	return func(context.Context) (T, error) { return v, nil }
}

var errNoFigure = errors.New("the machine does not say")

// never reads nothing.
func never[T any](context.Context) (T, error) {
	var zero T
	return zero, errNoFigure
}

// growing reads a fact that depends on the seconds since now.
func growing[T any](at func(seconds float64) T) func(context.Context) (T, error) {
	start := time.Now()
	return func(context.Context) (T, error) { return at(time.Since(start).Seconds()), nil }
}

// sample is a machine with two processors, 8 GiB of memory and figures that
// grow steadily. In a synctest bubble its answers never change.
func sample() builtin.Figures {
	return builtin.Figures{
		CPU:         growing(sampleCPU),
		OS:          always(facts.OS{Name: "linux", Platform: "debian", Version: "12.11", KernelVersion: "6.1.0-18-amd64", Architecture: "amd64"}),
		Load:        growing(sampleLoad),
		Memory:      always(sampleMemory),
		Swap:        always(facts.Swap{TotalBytes: 2 * gib, UsedBytes: 512 * mib, FreeBytes: 1536 * mib, UsedRatio: 0.25, Devices: []facts.SwapDevice{{Name: "/dev/sda2", TotalBytes: 2 * gib, UsedBytes: 512 * mib}}}),
		Disks:       growing(sampleDisks),
		Filesystems: always(sampleFilesystems),
		Network:     growing(sampleNetwork),
		Processes:   growing(sampleProcesses),
		Services:    always(sampleServices),
		Uptime:      always(facts.Uptime{UptimeSeconds: 273_845, BootTimeSeconds: 1_700_000_000}),
	}
}

var sampleMemory = facts.Memory{
	TotalBytes: 8 * gib, AvailableBytes: 2 * gib, UsedBytes: 6 * gib, UsedRatio: 0.75,
	CommittedBytes: ptr[uint64](4 * gib), CommitLimitBytes: ptr[uint64](16 * gib),
}

// sampleCPU spends 20% in programs, 10% in the kernel and 5% waiting on the
// first processor, and 60%, 20% and nothing on the second.
func sampleCPU(s float64) facts.CPU {
	core := func(name string, user, system, iowait, of float64) facts.Core {
		return facts.Core{Name: name, ModeSeconds: facts.Modes{
			User: 1000 + user*s, System: 500 + system*s, Iowait: ptr(10 + iowait*s), Idle: 9000 + (of-user-system-iowait)*s,
		}}
	}
	return facts.CPU{
		LogicalCores: 2, All: core("all", 0.8, 0.3, 0.05, 2),
		Cores: []facts.Core{core("cpu0", 0.2, 0.1, 0.05, 1), core("cpu1", 0.6, 0.2, 0, 1)},
	}
}

func sampleLoad(s float64) facts.Load {
	return facts.Load{Load1: 1.5, Load5: 1.25, Load15: 0.75, LogicalCores: 2, TasksRunning: ptr[uint64](5), ContextSwitches: ptr(uint64(1e6 + 300*s))}
}

// sampleDisks is a disk that is busy half of the time with one partition, and
// another one that is idle.
func sampleDisks(s float64) facts.Disks {
	busy := facts.Disk{
		ReadBytes: uint64(1e9 + 2e6*s), WrittenBytes: uint64(2e9 + 1e6*s), Reads: uint64(1e4 + 100*s), Writes: uint64(2e4 + 50*s),
		BusySeconds: ptr(77 + 0.5*s), QueueSeconds: ptr(100 + 2*s), InFlight: ptr[uint64](3),
	}
	named := func(name string, d facts.Disk) facts.Disk { d.Name = name; return d }
	return facts.Disks{Disks: []facts.Disk{
		named("loop0", facts.Disk{}), named("sda", busy), named("sda1", busy),
		named("sdb", facts.Disk{BusySeconds: ptr(1.0), QueueSeconds: ptr(1.0), InFlight: ptr[uint64](0)}),
	}}
}

var sampleFilesystems = facts.Filesystems{Filesystems: []facts.Filesystem{
	{MountPoint: "/", Device: "/dev/sda1", Type: "ext4", Usage: &facts.Usage{
		TotalBytes: 100 * gib, UsedBytes: 60 * gib, FreeBytes: 40 * gib, AvailableBytes: 36 * gib, UsedRatio: 0.625,
		Inodes: &facts.Inodes{Total: 1000, Used: 100, Free: 900, UsedRatio: 0.1},
	}},
	{MountPoint: "/mnt/away", Device: "server:/export", Type: "nfs4", Error: "the server does not answer"},
	{MountPoint: "/snap/core", Device: "/dev/loop0", Type: "squashfs", ReadOnly: true, Usage: &facts.Usage{TotalBytes: gib, UsedBytes: gib, UsedRatio: 1}},
	{MountPoint: "/var/mail", Device: "/dev/sdb", Type: "xfs", Usage: &facts.Usage{
		TotalBytes: 10 * gib, UsedBytes: 1 * gib, FreeBytes: 9 * gib, AvailableBytes: 9 * gib, UsedRatio: 0.1,
		Inodes: &facts.Inodes{Total: 1000, Used: 950, Free: 50, UsedRatio: 0.95},
	}},
}}

func sampleNetwork(s float64) facts.Network {
	return facts.Network{Interfaces: []facts.Interface{
		{Name: "eth0", Up: true, Running: true, Counters: &facts.Counters{
			ReceivedBytes: uint64(1e9 + 2*mib*s), SentBytes: uint64(1e8 + mib*s), ReceivedPackets: uint64(1e6 + 200*s), SentPackets: uint64(1e5 + 100*s), ReceiveErrors: 7,
		}},
		{Name: "eth1", Up: true, Counters: &facts.Counters{}},
		{Name: "lo", Up: true, Running: true, Loopback: true, Counters: &facts.Counters{}},
	}}
}

func sampleProcesses(s float64) facts.Processes {
	return facts.Processes{Processes: []facts.Process{
		{PID: 1, Name: "init", User: "root", Threads: ptr[int32](1), ResidentBytes: ptr[uint64](8 * mib), UserSeconds: ptr(1.0), SystemSeconds: ptr(1.0)},
		{PID: 20, Name: "sshd", User: "root", Threads: ptr[int32](1), ResidentBytes: ptr[uint64](16 * mib), UserSeconds: ptr(2 + 0.25*s), SystemSeconds: ptr(1 + 0.25*s)},
		{PID: 21, Name: "sshd", User: "ann", Threads: ptr[int32](2), ResidentBytes: ptr[uint64](4 * mib), UserSeconds: ptr(0.0), SystemSeconds: ptr(0.0)},
		{PID: 30, Name: "Notepad.EXE", User: "ann", State: facts.ProcessSleeping},
		{PID: 40, Name: "gone", State: facts.ProcessZombie},
	}}
}

var sampleServices = facts.Services{Manager: "systemd", Services: []facts.Service{
	{Name: "cron.service", State: facts.ServiceRunning, Start: facts.StartAutomatic, Detail: "active (running)"},
	{Name: "setup.service", State: facts.ServiceExited, Start: facts.StartAutomatic},
	{Name: "snapd.service", State: facts.ServiceFailed, Start: facts.StartAutomatic, Detail: "failed"},
	{Name: "ssh.service", State: facts.ServiceRunning, Start: facts.StartAutomatic, Detail: "active (running)"},
	{Name: "tor.service", State: facts.ServiceStopped, Start: facts.StartAutomatic, Detail: "inactive (dead)"},
}}

// run runs a command line of a set of commands.
func run(t *testing.T, commands map[string]check.Runner, line string) (check.Result, error) {
	t.Helper()
	words, err := check.Split(line)
	if err != nil {
		t.Fatal(err)
	}
	runner, ok := commands[words[0]]
	if !ok {
		t.Fatalf("there is no command %q", words[0])
	}
	return runner.Run(t.Context(), check.Request{Command: words[0], Args: words[1:], Origin: check.CommandLine})
}
