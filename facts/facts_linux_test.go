package facts_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/user"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/facts"
	"github.com/wasmagent/wasmagent/internal/needs"
)

// tool runs a tool of the system, in English.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(deadline(t), needs.Program(t, name), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v", name, args, err)
	}
	return string(out)
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// column is the numbers of the line of text that begins with prefix.
func column(t *testing.T, text, prefix string) []float64 {
	t.Helper()
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != prefix {
			continue
		}
		var numbers []float64
		for _, f := range fields[1:] {
			if n, err := strconv.ParseFloat(f, 64); err == nil {
				numbers = append(numbers, n)
			}
		}
		return numbers
	}
	t.Fatalf("no line begins with %q:\n%s", prefix, text)
	return nil
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s is %v; the system's tool says %v", what, got, want)
	}
}

// between checks a counter that was read between two readings of the kernel's.
func between(t *testing.T, what string, got, before, after float64) {
	t.Helper()
	if got < before || got > after {
		t.Errorf("%s is %v; the kernel says %v before and %v after", what, got, before, after)
	}
}

// slack is how much memory or disk space other tests may use meanwhile.
const slack = 512 << 20

func TestMemoryAgreesWithFree(t *testing.T) {
	t.Parallel()
	m, err := facts.New().Memory(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	free := tool(t, "free", "-b")
	line := column(t, free, "Mem:") // total used free shared cache available
	near(t, "total", float64(m.TotalBytes), line[0], 0)
	near(t, "free", float64(*m.FreeBytes), line[2], slack)
	near(t, "buffers and cache", float64(*m.BuffersBytes+*m.CachedBytes), line[4], slack)
	near(t, "available", float64(m.AvailableBytes), line[5], slack)

	s, err := facts.New().Swap(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	line = column(t, free, "Swap:")
	near(t, "swap", float64(s.TotalBytes), line[0], 0)
	near(t, "used swap", float64(s.UsedBytes), line[1], slack)
}

func TestFilesystemsAgreeWithDf(t *testing.T) {
	t.Parallel()
	found, err := facts.New().Filesystems(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	root := false
	for _, f := range found.Filesystems {
		root = root || f.MountPoint == "/"
		if f.Usage == nil {
			continue
		}
		df := tool(t, "df", "-B1", "--output=target,size,used,avail,itotal,iused", f.MountPoint)
		line := column(t, df, f.MountPoint)
		near(t, f.MountPoint+" total", float64(f.Usage.TotalBytes), line[0], 0)
		near(t, f.MountPoint+" used", float64(f.Usage.UsedBytes), line[1], slack)
		near(t, f.MountPoint+" available", float64(f.Usage.AvailableBytes), line[2], slack)
		if f.Usage.Inodes != nil {
			near(t, f.MountPoint+" inodes", float64(f.Usage.Inodes.Total), line[3], 0)
			near(t, f.MountPoint+" used inodes", float64(f.Usage.Inodes.Used), line[4], 100_000)
		}
	}
	if !root {
		t.Errorf("the root is not among the file systems: %+v", found)
	}
}

func TestProcessesAgreeWithPs(t *testing.T) {
	t.Parallel()
	pid := strconv.Itoa(os.Getpid())
	ps := strings.Fields(tool(t, "ps", "-o", "ppid=,rss=,vsz=,nlwp=,etimes=,comm=", "-p", pid))
	p := processOf(t, facts.New(), os.Getpid())
	for i, got := range []float64{float64(*p.ParentPID), float64(*p.ResidentBytes) / 1024, float64(*p.VirtualBytes) / 1024,
		float64(*p.Threads), float64(time.Now().Unix()) - *p.StartTimeSeconds} {
		want, err := strconv.ParseFloat(ps[i], 64)
		if err != nil {
			t.Fatal(err)
		}
		near(t, []string{"parent", "resident KiB", "virtual KiB", "threads", "age"}[i], got, want,
			[]float64{0, slack >> 10, 4 << 20, 16, 3}[i])
	}
	if !strings.HasPrefix(p.Name, ps[5]) {
		t.Errorf("name %q; ps says %q", p.Name, ps[5])
	}
	if exe, err := os.Executable(); err != nil || p.Executable != exe {
		t.Errorf("executable %q, want %q (%v)", p.Executable, exe, err)
	}
	if u, err := user.Current(); err != nil || p.User != u.Username {
		t.Errorf("user %q, want %q (%v)", p.User, u.Username, err)
	}
	if p.State != facts.ProcessRunning && p.State != facts.ProcessSleeping {
		t.Errorf("state %q", p.State)
	}
	if *p.UserSeconds < 0 || *p.UserSeconds > 3600 {
		t.Errorf("%v s of processor time", *p.UserSeconds)
	}
}

func processOf(t *testing.T, source *facts.Source, pid int) facts.Process {
	t.Helper()
	all, err := source.Processes(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all.Processes, func(p facts.Process) bool { return int(p.PID) == pid })
	if i < 0 {
		t.Fatalf("process %d is not listed", pid)
	}
	return all.Processes[i]
}

func TestUptimeAgreesWithProc(t *testing.T) {
	t.Parallel()
	u, err := facts.New().Uptime(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	up, err := strconv.ParseFloat(strings.Fields(readFile(t, "/proc/uptime"))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "uptime", u.UptimeSeconds, up, 2)
}

func TestLoadAgreesWithProc(t *testing.T) {
	t.Parallel()
	for { // until the kernel has not updated it meanwhile
		before := readFile(t, "/proc/loadavg")
		l, err := facts.New().Load(deadline(t))
		if err != nil {
			t.Fatal(err)
		}
		averages := strings.Fields(before)[:3]
		if !slices.Equal(averages, strings.Fields(readFile(t, "/proc/loadavg"))[:3]) {
			continue
		}
		if got := fmt.Sprintf("%.2f %.2f %.2f", l.Load1, l.Load5, l.Load15); got != strings.Join(averages, " ") || l.Emulated {
			t.Errorf("load %s (emulated: %v), want %s", got, l.Emulated, averages)
		}
		return
	}
}

func TestCountersAgreeWithProc(t *testing.T) {
	t.Parallel()
	ctx, source := deadline(t), facts.New()

	stat := readFile(t, "/proc/stat")
	c, err := source.CPU(ctx)
	if err != nil {
		t.Fatal(err)
	}
	l, err := source.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	after := readFile(t, "/proc/stat")
	near := 0.01 * float64(len(c.Cores)) // each core's ticks are rounded
	between(t, "time in programs", c.All.ModeSeconds.User, column(t, stat, "cpu")[0]/100-near, column(t, after, "cpu")[0]/100+near)
	if l.ContextSwitches != nil { // not on 32 bits
		between(t, "context switches", float64(*l.ContextSwitches), column(t, stat, "ctxt")[0], column(t, after, "ctxt")[0])
		between(t, "tasks created", float64(*l.TasksCreated), column(t, stat, "processes")[0], column(t, after, "processes")[0])
	}

	vmstat := readFile(t, "/proc/vmstat")
	m, err := source.Memory(ctx)
	if err != nil {
		t.Fatal(err)
	}
	between(t, "page faults", float64(*m.PageFaults), column(t, vmstat, "pgfault")[0], column(t, readFile(t, "/proc/vmstat"), "pgfault")[0])
}

func TestNetworkAgreesWithProc(t *testing.T) {
	t.Parallel()
	before := readFile(t, "/proc/net/dev")
	n, err := facts.New().Network(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	after := readFile(t, "/proc/net/dev")
	for _, i := range n.Interfaces {
		if i.Counters == nil {
			t.Errorf("%s has no counters", i.Name)
			continue
		}
		b, a := column(t, before, i.Name+":"), column(t, after, i.Name+":")
		between(t, i.Name+" received", float64(i.Counters.ReceivedBytes), b[0], a[0])
		between(t, i.Name+" sent", float64(i.Counters.SentBytes), b[8], a[8])
		if i.Name == "lo" && (!i.Loopback || i.Up && !slices.Contains(i.Addresses, "127.0.0.1/8")) {
			t.Errorf("the loopback interface is %+v", i)
		}
	}
}

func TestDisksAgreeWithProc(t *testing.T) {
	t.Parallel()
	before := readFile(t, "/proc/diskstats")
	d, err := facts.New().Disks(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	after := readFile(t, "/proc/diskstats")
	for _, disk := range d.Disks {
		// The line is: major, minor, name, then the counters.
		line := func(text string) []float64 {
			_, rest, _ := strings.Cut(text, " "+disk.Name+" ")
			return column(t, "x "+rest, "x")
		}
		b, a := line(before), line(after)
		between(t, disk.Name+" reads", float64(disk.Reads), b[0], a[0])
		between(t, disk.Name+" bytes read", float64(disk.ReadBytes), b[2]*512, a[2]*512)
		between(t, disk.Name+" bytes written", float64(disk.WrittenBytes), b[6]*512, a[6]*512)
		between(t, disk.Name+" busy", *disk.BusySeconds, b[9]/1000, a[9]/1000)
	}
}

func TestOSAgreesWithUname(t *testing.T) {
	t.Parallel()
	o, err := facts.New().OS(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimSpace(tool(t, "uname", "-r")); o.KernelVersion != want {
		t.Errorf("kernel version %q, want %q", o.KernelVersion, want)
	}
	if want, err := os.Hostname(); err != nil || o.Hostname != want {
		t.Errorf("hostname %q, want %q (%v)", o.Hostname, want, err)
	}
	if o.Name != "linux" || goruntime.GOARCH != "386" && o.Architecture != goruntime.GOARCH {
		t.Errorf("%s on %s, want linux on %s", o.Name, o.Architecture, goruntime.GOARCH)
	}
}

// The interval reaches back to the newest sample that is five seconds old,
// whoever took it.
func TestCPUInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := facts.New()
		for _, step := range []struct{ pause, want float64 }{
			{0, 0.1}, {59.9, 60}, {0.2, 60.2}, {0, 60.2}, {5, 5.2}, {1, 6.2}, {100, 101},
		} {
			wait(t.Context(), step.pause)
			c, err := source.CPU(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(c.IntervalSeconds-step.want) > 1e-6 {
				t.Errorf("after a pause of %v s the interval is %v s, want %v s", step.pause, c.IntervalSeconds, step.want)
			}
		}
	})
}

// wait lets the time of a synctest bubble pass.
func wait(ctx context.Context, seconds float64) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds*float64(time.Second)))
	defer cancel()
	<-ctx.Done()
}
