package facts

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/user"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/common"
	"golang.org/x/sys/unix"
)

// Linux' formats are those of proc(5):
// https://man7.org/linux/man-pages/man5/proc.5.html
const (
	ticksPerSecond = 100  // USER_HZ, the same on every architecture that Go runs on
	longName       = 15   // the kernel cuts names to this length
	argv0Limit     = 4096 // the most of a command line that is read for a name's rest
)

// procfs reads the processes in one /proc. gopsutil would read five times as
// many files, and whole command lines.
type procfs struct {
	root  string
	boot  float64           // when the system started, in Unix time
	users map[string]string // names by number
}

func readProcesses(ctx context.Context) (Processes, error) {
	proc := procfs{root: procRoot(ctx), boot: bootTime(), users: map[string]string{}}
	entries, err := os.ReadDir(proc.root)
	if err != nil {
		return Processes{}, err
	}
	list := make([]Process, 0, len(entries))
	for _, e := range entries {
		pid, err := strconv.ParseInt(e.Name(), 10, 32)
		if err != nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return Processes{}, err
		}
		if p, err := proc.process(int32(pid)); err == nil { // otherwise it has ended
			list = append(list, p)
		}
	}
	sortProcesses(list)
	return Processes{list}, nil
}

// procRoot is /proc, or where gopsutil is told to look for it.
func procRoot(ctx context.Context) string {
	env, _ := ctx.Value(common.EnvKey).(common.EnvMap)
	return cmp.Or(env[common.HostProcEnvKey], os.Getenv(string(common.HostProcEnvKey)), "/proc")
}

// bootTime is what the start times in /proc count from.
func bootTime() float64 {
	var up unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) != nil {
		return 0
	}
	return float64(time.Now().UnixNano()-up.Nano()) / 1e9
}

func (proc procfs) process(pid int32) (Process, error) {
	p := Process{PID: pid}
	dir := path.Join(proc.root, strconv.Itoa(int(pid)))
	stat, err := os.ReadFile(path.Join(dir, "stat"))
	if err != nil {
		return p, err
	}
	if err := proc.stat(&p, stat); err != nil {
		return p, err
	}
	if len(p.Name) >= longName {
		p.Name = wholeName(dir, p.Name)
	}
	if status, err := os.ReadFile(path.Join(dir, "status")); err == nil {
		proc.status(&p, status)
	}
	exe, _ := os.Readlink(path.Join(dir, "exe"))
	p.Executable = strings.TrimSuffix(exe, " (deleted)")
	return p, nil
}

// stat fills in what /proc/PID/stat says: the number, the name in parentheses,
// which may hold anything, then the fields, from the third on.
func (proc procfs) stat(p *Process, data []byte) error {
	open, end := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if open < 0 || end < open {
		return fmt.Errorf("process %d: its stat has no name", p.PID)
	}
	fields := strings.Fields(string(data[end+1:]))
	if len(fields) < 21 {
		return fmt.Errorf("process %d: its stat is cut off", p.PID)
	}
	number := func(field int) uint64 {
		n, _ := strconv.ParseUint(fields[field-3], 10, 64)
		return n
	}
	p.Name = strings.ToValidUTF8(string(data[open+1:end]), "?")
	p.State = newProcessState(fields[0][0])
	p.ParentPID = new(int32(number(4)))
	p.UserSeconds = new(float64(number(14)) / ticksPerSecond)
	p.SystemSeconds = new(float64(number(15)) / ticksPerSecond)
	p.Threads = new(int32(number(20)))
	p.StartTimeSeconds = given(proc.boot > 0, proc.boot+float64(number(22))/ticksPerSecond)
	p.VirtualBytes = new(number(23))
	p.ResidentBytes = new(uint64(0)) // a kernel thread's; others' is in status
	return nil
}

// status fills in what /proc/PID/status says more, or more exactly.
func (proc procfs) status(p *Process, data []byte) {
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		switch {
		case key == "Uid" && len(fields) >= 2:
			p.User = proc.user(fields[1]) // the effective one
		case key == "VmRSS" && len(fields) >= 1:
			kib, _ := strconv.ParseUint(fields[0], 10, 64)
			p.ResidentBytes = new(kib * 1024)
		}
	}
}

func (proc procfs) user(uid string) string {
	name, ok := proc.users[uid]
	if !ok {
		name = uid
		if u, err := user.LookupId(uid); err == nil {
			name = u.Username
		}
		proc.users[uid] = name
	}
	return name
}

// wholeName is the name that the kernel has cut, taken from the path that the
// program was called by.
func wholeName(dir, name string) string {
	f, err := os.Open(path.Join(dir, "cmdline"))
	if err != nil {
		return name
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, argv0Limit))
	if err != nil {
		return name
	}
	argv0, _, _ := strings.Cut(string(data), "\x00")
	// Some programs write a title there, which may say anything after a blank.
	argv0, _, _ = strings.Cut(argv0, " ")
	if base := strings.TrimSuffix(path.Base(argv0), ":"); strings.HasPrefix(base, name) {
		return strings.ToValidUTF8(base, "?")
	}
	return name
}
