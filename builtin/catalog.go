package builtin

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/wasmagent/wasmagent/facts"
	"github.com/wasmagent/wasmagent/internal/lazyregexp"
)

// A row is what is known of one instance of an object.
type row[T any] struct {
	key, name string
	value     T
}

// A figure is one counter of an object: how it is computed from a row. It is
// nil where the system does not tell.
type figure[T any] struct {
	name string
	rule rule
	of   func(T) *float64
}

// tabulate makes counters of an object's figures.
func tabulate[T any](object string, rows func(context.Context, machine) ([]row[T], error), find func(string, []string) int, figures []figure[T]) []counter {
	counters := make([]counter, len(figures))
	for i, f := range figures {
		counters[i] = counter{object: object, name: f.name, rule: f.rule, instance: find}
		counters[i].read = func(ctx context.Context, m machine) ([]raw, error) {
			known, err := rows(ctx, m)
			raws := make([]raw, len(known))
			for i, r := range known {
				raws[i] = raw{key: r.key, name: r.name}
				if v := f.of(r.value); v != nil {
					raws[i].value, raws[i].has = *v, true
				}
			}
			return raws, err
		}
	}
	return counters
}

// catalog is every counter that is computed from the machine's figures.
func catalog() []counter {
	return slices.Concat(
		tabulate("Processor", processorRows, nil, processorFigures),
		tabulate("Memory", single(func(ctx context.Context, m machine) (facts.Memory, error) { return m.memory(ctx) }), nil, memoryFigures),
		tabulate("PhysicalDisk", diskRows, diskNumber, diskFigures),
		tabulate("LogicalDisk", volumeRows, driveLetter, slices.Concat(volumeFigures, volumeDiskFigures())),
		tabulate("Network Interface", interfaceRows, nil, interfaceFigures),
		tabulate("System", single(func(ctx context.Context, m machine) (facts.Load, error) { return m.load(ctx) }), nil, loadFigures),
		tabulate("System", single(func(ctx context.Context, m machine) (facts.Uptime, error) { return m.uptime(ctx) }), nil, uptimeFigures),
		tabulate("System", single(func(ctx context.Context, m machine) (facts.Processes, error) { return m.processes(ctx) }), nil, processesFigures),
		tabulate("Paging File", swapRows, nil, swapFigures),
		tabulate("Process", processRows, nil, processFigures),
	)
}

// single makes one nameless row of a fact.
func single[T any](read func(context.Context, machine) (T, error)) func(context.Context, machine) ([]row[T], error) {
	return func(ctx context.Context, m machine) ([]row[T], error) {
		value, err := read(ctx, m)
		return []row[T]{{value: value}}, err
	}
}

var (
	gauge     = rule{}
	gaugeMean = rule{mean: true}
	slowGauge = rule{slow: true}
	rate      = rule{rate: true}
	busyShare = rule{rate: true, mean: true, after: func(v float64) float64 { return min(100, v) }}
	idleShare = rule{rate: true, mean: true, after: func(v float64) float64 { return 100 - min(100, v) }}
	slowRate  = rule{rate: true, slow: true}
)

// known is a figure that every system gives.
func known[T any, N uint64 | float64](of func(T) N) func(T) *float64 {
	return func(v T) *float64 { return new(float64(of(v))) }
}

// scaled is a figure that a system may leave out, multiplied by factor.
func scaled[T any, N uint64 | float64 | int32](factor float64, of func(T) *N) func(T) *float64 {
	return func(v T) *float64 {
		n := of(v)
		if n == nil {
			return nil
		}
		f := float64(*n) * factor
		return &f
	}
}

var processorFigures = []figure[facts.Core]{
	{"% Processor Time", busyShare, known(func(c facts.Core) float64 {
		return 100 * (allSeconds(c.ModeSeconds) - idleSeconds(c.ModeSeconds))
	})},
	{"% Idle Time", busyShare, known(func(c facts.Core) float64 { return 100 * idleSeconds(c.ModeSeconds) })},
	{"% User Time", busyShare, known(func(c facts.Core) float64 { return 100 * (c.ModeSeconds.User + or(c.ModeSeconds.Nice, 0)) })},
	{"% Privileged Time", busyShare, known(func(c facts.Core) float64 { return 100 * privilegedSeconds(c.ModeSeconds) })},
}

func processorRows(ctx context.Context, m machine) ([]row[facts.Core], error) {
	cpu, err := m.cpu(ctx)
	rows := make([]row[facts.Core], len(cpu.Cores))
	for i, c := range cpu.Cores {
		rows[i] = row[facts.Core]{name: strings.TrimPrefix(c.Name, "cpu"), value: c}
	}
	return rows, err
}

var memoryFigures = []figure[facts.Memory]{
	{"Available Bytes", gauge, known(func(m facts.Memory) uint64 { return m.AvailableBytes })},
	{"Available KBytes", gauge, known(func(m facts.Memory) float64 { return float64(m.AvailableBytes) / kilo })},
	{"Available MBytes", gauge, known(func(m facts.Memory) float64 { return float64(m.AvailableBytes) / mega })},
	{"Committed Bytes", gauge, scaled(1, func(m facts.Memory) *uint64 { return m.CommittedBytes })},
	{"Commit Limit", gauge, scaled(1, func(m facts.Memory) *uint64 { return m.CommitLimitBytes })},
	{"% Committed Bytes In Use", gauge, committedShare},
}

func committedShare(m facts.Memory) *float64 {
	if m.CommittedBytes == nil || m.CommitLimitBytes == nil || *m.CommitLimitBytes == 0 {
		return nil
	}
	return new(100 * float64(*m.CommittedBytes) / float64(*m.CommitLimitBytes))
}

var diskFigures = []figure[facts.Disk]{
	{"% Disk Time", busyShare, scaled(100, func(d facts.Disk) *float64 { return d.BusySeconds })},
	{"% Idle Time", idleShare, scaled(100, func(d facts.Disk) *float64 { return d.BusySeconds })},
	{"Disk Read Bytes/sec", rate, known(func(d facts.Disk) uint64 { return d.ReadBytes })},
	{"Disk Write Bytes/sec", rate, known(func(d facts.Disk) uint64 { return d.WrittenBytes })},
	{"Disk Bytes/sec", rate, known(func(d facts.Disk) uint64 { return d.ReadBytes + d.WrittenBytes })},
	{"Disk Reads/sec", rate, known(func(d facts.Disk) uint64 { return d.Reads })},
	{"Disk Writes/sec", rate, known(func(d facts.Disk) uint64 { return d.Writes })},
	{"Disk Transfers/sec", rate, known(func(d facts.Disk) uint64 { return d.Reads + d.Writes })},
	{"Current Disk Queue Length", gauge, scaled(1, func(d facts.Disk) *uint64 { return d.InFlight })},
	{"Avg. Disk Queue Length", rate, scaled(1, func(d facts.Disk) *float64 { return d.QueueSeconds })},
}

// diskRows is the disks that are no part of another one.
func diskRows(ctx context.Context, m machine) ([]row[facts.Disk], error) {
	disks, err := m.disks(ctx)
	var rows []row[facts.Disk]
	for _, d := range disks.Disks {
		isPart := slices.ContainsFunc(disks.Disks, func(whole facts.Disk) bool { return partOf(d.Name, whole.Name) })
		if !isPart && !madeUp().MatchString(d.Name) {
			rows = append(rows, row[facts.Disk]{name: d.Name, value: d})
		}
	}
	slices.SortStableFunc(rows, func(a, b row[facts.Disk]) int { return strings.Compare(natural(a.name), natural(b.name)) })
	return rows, err
}

// madeUp matches block devices that are no disks: memory, images, mappings of
// other devices, optical and tape drives.
var madeUp = lazyregexp.New(`^(loop|ram|zram|dm-|md|nbd|sr|fd|cd|pass|sa)[0-9]`)

var partSuffix = lazyregexp.New(`^(p|s)?[0-9]+$`)

// partOf tells whether a device is a partition of another, after the habits of
// Linux (sda1, nvme0n1p1), macOS (disk0s1) and FreeBSD (ada0p1).
func partOf(name, whole string) bool {
	suffix, ok := strings.CutPrefix(name, whole)
	if !ok || !partSuffix().MatchString(suffix) {
		return false
	}
	last := whole[len(whole)-1]
	return last < '0' || last > '9' || suffix[0] == 'p' || suffix[0] == 's'
}

var digits = lazyregexp.New(`[0-9]+`)

// natural is a key that sorts disk10 after disk2.
func natural(name string) string {
	return digits().ReplaceAllStringFunc(name, func(n string) string { return fmt.Sprintf("%09s", n) })
}

var numbered = lazyregexp.New(`^[0-9]+( .*)?$`)

// diskNumber finds the disk that Windows calls "0 C:": disk number 0. The
// drive letters after the number are those of its partitions.
func diskNumber(want string, names []string) int {
	if !numbered().MatchString(want) {
		return -1
	}
	n, err := strconv.Atoi(digits().FindString(want))
	if err != nil || n >= len(names) {
		return -1
	}
	return n
}

// driveLetter finds the file system that Windows calls "C:": the root.
func driveLetter(want string, names []string) int {
	if !strings.EqualFold(strings.TrimRight(want, `\`), "C:") {
		return -1
	}
	return slices.Index(names, "/")
}

// A mounted is a file system with what is known of the device that it is on.
type mounted struct {
	usage facts.Usage
	disk  *facts.Disk
}

var volumeFigures = []figure[mounted]{
	{"% Free Space", gaugeMean, func(v mounted) *float64 {
		if whole := float64(v.usage.UsedBytes + v.usage.AvailableBytes); whole > 0 {
			return new(100 * float64(v.usage.AvailableBytes) / whole)
		}
		return nil
	}},
	{"Free Megabytes", gauge, known(func(v mounted) float64 { return float64(v.usage.AvailableBytes) / mega })},
}

// volumeDiskFigures is the figures of disks, for the devices of file systems.
func volumeDiskFigures() []figure[mounted] {
	figures := make([]figure[mounted], len(diskFigures))
	for i, f := range diskFigures {
		figures[i] = figure[mounted]{f.name, f.rule, func(v mounted) *float64 {
			if v.disk == nil {
				return nil
			}
			return f.of(*v.disk)
		}}
	}
	return figures
}

// volumeRows joins the file systems with the disks by the device's name.
func volumeRows(ctx context.Context, m machine) ([]row[mounted], error) {
	filesystems, err := m.filesystems(ctx)
	if err != nil {
		return nil, err
	}
	disks, err := m.disks(ctx)
	var rows []row[mounted]
	for _, fs := range filesystems.Filesystems {
		if fs.Usage == nil {
			continue
		}
		r := row[mounted]{name: fs.MountPoint, value: mounted{usage: *fs.Usage}}
		if i := slices.IndexFunc(disks.Disks, func(d facts.Disk) bool { return d.Name == path.Base(fs.Device) }); i >= 0 {
			r.value.disk = &disks.Disks[i]
		}
		rows = append(rows, r)
	}
	return rows, err
}

var interfaceFigures = []figure[facts.Counters]{
	{"Bytes Total/sec", rate, known(func(c facts.Counters) uint64 { return c.ReceivedBytes + c.SentBytes })},
	{"Bytes Received/sec", rate, known(func(c facts.Counters) uint64 { return c.ReceivedBytes })},
	{"Bytes Sent/sec", rate, known(func(c facts.Counters) uint64 { return c.SentBytes })},
	{"Packets/sec", rate, known(func(c facts.Counters) uint64 { return c.ReceivedPackets + c.SentPackets })},
	{"Packets Received/sec", rate, known(func(c facts.Counters) uint64 { return c.ReceivedPackets })},
	{"Packets Sent/sec", rate, known(func(c facts.Counters) uint64 { return c.SentPackets })},
}

// interfaceRows is the interfaces with counters, without the loopback.
func interfaceRows(ctx context.Context, m machine) ([]row[facts.Counters], error) {
	network, err := m.network(ctx)
	var rows []row[facts.Counters]
	for _, i := range network.Interfaces {
		if i.Counters != nil && !i.Loopback {
			rows = append(rows, row[facts.Counters]{name: i.Name, value: *i.Counters})
		}
	}
	return rows, err
}

var loadFigures = []figure[facts.Load]{
	{"Processor Queue Length", gauge, func(l facts.Load) *float64 {
		if l.TasksRunning == nil {
			return nil
		}
		return new(max(0, float64(*l.TasksRunning)-float64(l.LogicalCores)))
	}},
	{"Context Switches/sec", rate, scaled(1, func(l facts.Load) *uint64 { return l.ContextSwitches })},
}

var uptimeFigures = []figure[facts.Uptime]{
	{"System Up Time", gauge, known(func(u facts.Uptime) float64 { return u.UptimeSeconds })},
}

var processesFigures = []figure[facts.Processes]{
	{"Processes", slowGauge, known(func(p facts.Processes) uint64 { return uint64(len(p.Processes)) })},
	{"Threads", slowGauge, known(func(all facts.Processes) uint64 {
		var n uint64
		for _, p := range all.Processes {
			n += uint64(or(p.Threads, 0))
		}
		return n
	})},
}

// A page is a place to swap to, or all of them.
type page struct{ used, total uint64 }

var swapFigures = []figure[page]{
	{"% Usage", gauge, func(p page) *float64 {
		if p.total == 0 {
			return new(0.0)
		}
		return new(100 * float64(p.used) / float64(p.total))
	}},
}

func swapRows(ctx context.Context, m machine) ([]row[page], error) {
	swap, err := m.swap(ctx)
	rows := []row[page]{{name: totalInstance, value: page{swap.UsedBytes, swap.TotalBytes}}}
	for _, d := range swap.Devices {
		rows = append(rows, row[page]{name: d.Name, value: page{d.UsedBytes, d.TotalBytes}})
	}
	return rows, err
}

var processFigures = []figure[facts.Process]{
	{"% Processor Time", slowRate, processorTime(func(p facts.Process) []*float64 { return []*float64{p.UserSeconds, p.SystemSeconds} })},
	{"% User Time", slowRate, processorTime(func(p facts.Process) []*float64 { return []*float64{p.UserSeconds} })},
	{"% Privileged Time", slowRate, processorTime(func(p facts.Process) []*float64 { return []*float64{p.SystemSeconds} })},
	{"Working Set", slowGauge, scaled(1, func(p facts.Process) *uint64 { return p.ResidentBytes })},
	{"Virtual Bytes", slowGauge, scaled(1, func(p facts.Process) *uint64 { return p.VirtualBytes })},
	{"Thread Count", slowGauge, scaled(1, func(p facts.Process) *int32 { return p.Threads })},
	{"ID Process", slowGauge, known(func(p facts.Process) float64 { return float64(p.PID) })},
}

// processorTime is a sum of processor times, 100 a second.
func processorTime(of func(facts.Process) []*float64) func(facts.Process) *float64 {
	return func(p facts.Process) *float64 {
		total := 0.0
		for _, seconds := range of(p) {
			if seconds == nil {
				return nil
			}
			total += 100 * *seconds
		}
		return &total
	}
}

// processRows names processes as Windows does: by the program without .exe,
// with #1, #2 and so on after the first of that name.
func processRows(ctx context.Context, m machine) ([]row[facts.Process], error) {
	all, err := m.processes(ctx)
	rows := make([]row[facts.Process], len(all.Processes))
	named := names{}
	for i, p := range all.Processes {
		rows[i] = row[facts.Process]{key: strconv.Itoa(int(p.PID)), name: named.next(bareName(p.Name)), value: p}
	}
	return rows, err
}

// names counts names, to tell those apart that are the same.
type names map[string]int

// next is the name, with #1, #2 and so on after the first of it.
func (n names) next(name string) string {
	same := n[fold(name)]
	n[fold(name)]++
	if same == 0 {
		return name
	}
	return name + "#" + strconv.Itoa(same)
}
