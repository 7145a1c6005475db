package builtin_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/builtin"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/facts"
)

// Each row is a command line and the plugin output and state that it gives on
// the sample machine. "..." at the end stands for more of the same.
var systemRows = []struct{ line, want string }{
	{"check_cpu", "OK: processors 55% busy over 500ms|total=55%;80;90;0;100 user=40%;;;0;100 system=15%;;;0;100 iowait=2.5%;;;0;100 cpu0=30%;;;0;100 cpu1=80%;;;0;100"},
	{"check_cpu warn=50", "WARNING: processors 55% busy over 500ms|total=55%;50;90;0;100..."},
	{"check_cpu --warning 10% --critical=50%", "CRITICAL: processors 55% busy over 500ms|total=55%;10;50;0;100..."},
	{"check_cpu warn=none crit=", "OK: processors 55% busy over 500ms|total=55%;;;0;100..."},

	{"check_memory", "OK: memory 75% used (6.0 GiB of 8.0 GiB)|used=6442450944B;6871947674;7730941133;0;8589934592 'used %'=75%;80;90;0;100 available=2147483648B;;;0;8589934592 committed=4294967296B;;;0;17179869184"},
	{"check_memory warn=50% crit=7GB", "WARNING: memory 75% used (6.0 GiB of 8.0 GiB)|used=6442450944B;4294967296;7516192768;0;8589934592 'used %'=75%;50;87.5;0;100..."},
	{"check_memory crit=@70%:80%", "CRITICAL: memory 75% used (6.0 GiB of 8.0 GiB)|used=6442450944B;6871947674;@6012954214:6871947674;0;8589934592..."},
	{"check_memory crit=7GiB:", "CRITICAL: memory..."},

	{"check_swap", "OK: swap 25% used (512.0 MiB of 2.0 GiB)|used=536870912B;1073741824;1717986918;0;2147483648 'used %'=25%;50;80;0;100"},
	{"check_swap -w 10% -c 100MB", "CRITICAL: swap..."},

	{"check_load", "OK: load 1.50, 1.25, 0.75 on 2 processors|load1=1.5;3;8;0 load5=1.25;2.5;6;0 load15=0.75;2;4;0"},
	{"check_load warn=1 crit=2", "WARNING: load1 1.50, load5 1.25|load1=1.5;1;2;0 load5=1.25;1;2;0 load15=0.75;1;2;0\nWARNING load1 1.50\nWARNING load5 1.25\nOK load15 0.75"},
	{"check_load warn=1,1,1 crit=9,1.2,9", "CRITICAL: CRITICAL load5 1.25, WARNING load1 1.50|..."},
	{"check_load warn=50%,100%,100%", "WARNING: load1 1.50|..."},

	{"check_drivesize drive=/", "OK: / 62.5% used (60.0 GiB of 100.0 GiB)|'/ used'=64424509440B;82463372083;92771293594;0;107374182400 '/ used %'=62.5%;80;90;0;100 '/ inodes'=100;800;900;0;1000"},
	{"check_drivesize drive=C:", "OK: / 62.5% used..."},
	{`check_drivesize drive=c:\`, "OK: / 62.5% used..."},
	{"check_drivesize drive=/dev/sda1 warn=50%", "WARNING: / 62.5% used..."},
	{"check_drivesize drive=/ warn=50GB", "WARNING: / 62.5% used..."},
	{"check_drivesize drive=/snap/core", "CRITICAL: /snap/core 100% used..."},
	{"check_drivesize drive=/mnt/away", "UNKNOWN: /mnt/away: the server does not answer"},
	{"check_drivesize drive=/var/mail", "CRITICAL: /var/mail 95% of its files used (950 of 1000 inodes)|..."},
	{"check_drivesize drive=/var/mail warn=9GB crit=9GB", "OK: /var/mail 10% used (1.0 GiB of 10.0 GiB)|..."},
	{"check_drivesize exclude=/mnt/* exclude=xfs", "OK: / 62.5% used (60.0 GiB of 100.0 GiB)|..."},
	{"check_drivesize drive=/ drive=/* exclude=/mnt/away exclude=/var/mail", "OK: / 62.5% used (60.0 GiB of 100.0 GiB)|..."},

	{"check_uptime", "OK: up 3d 4h, since 2023-11-14 22:13:20 UTC|uptime=273845s;;;0"},
	{"check_uptime warn=1w: crit=1h:", "WARNING: up 3d 4h, since 2023-11-14 22:13:20 UTC|uptime=273845s;604800:;3600:;0"},

	{"check_process", "OK: all: 4 processes|all=4;;1:;0 'all resident'=29360128B;;;0 'all threads'=4;;;0"},
	{"check_process process=sshd", "OK: sshd: 2 processes|sshd=2;;1:;0 'sshd resident'=20971520B;;;0 'sshd threads'=3;;;0"},
	{"check_process process=notepad", "OK: notepad: 1 process|..."},
	{"check_process process=NOTEPAD.exe", "OK: notepad.exe: 1 process|..."},
	{"check_process process=sshd user=ann", "OK: sshd: 1 process|..."},
	{"check_process process=gone", "CRITICAL: gone: 0 processes|..."},
	{"check_process process=init process=telnetd", "CRITICAL: telnetd: 0 processes|init=1;;1:;0..."},
	{"check_process process=s*d crit=none warn=1", "WARNING: s*d: 2 processes|..."},

	{"check_service service=ssh service=CRON.service service=setup", "OK: 3 services are as expected|wrong=0;;0;0;3 checked=3;;;0"},
	{"check_service service=tor", "CRITICAL: tor is inactive (dead)|wrong=1;;0;0;1 checked=1;;;0"},
	{"check_service", "CRITICAL: snapd is failed|wrong=1;;0;0;5 checked=5;;;0"},
	{"check_service service=* service=tor", "CRITICAL: snapd is failed, tor is inactive (dead)|..."},
	{"check_service exclude=snapd", "OK: 4 services are as expected|..."},
	{"check_service warn=0 crit=1", "WARNING: snapd is failed|..."},

	{"check_network", "OK: eth0 2.0 MiB/s received, 1.0 MiB/s sent|'eth0 total'=3145728B;;;0 'eth0 received'=2097152B;;;0 'eth0 sent'=1048576B;;;0 'eth0 errors'=0;;;0"},
	{"check_network interface=eth0 warn=2MB crit=4MB", "WARNING: eth0 2.0 MiB/s received..."},
	{"check_network interface=eth1", "CRITICAL: eth1 is down|..."},

	{"check_os_version", "OK: debian 12.11 (kernel 6.1.0-18-amd64, amd64)|version=12.11"},
	{"check_os_version crit=13:", "CRITICAL: debian 12.11 (kernel 6.1.0-18-amd64, amd64)|version=12.11;;13:"},

	{`check_pdh "counter=\Processor(_Total)\% Processor Time" warn=50 crit=90%`, `WARNING: \Processor(_Total)\% Processor Time 55%|'\Processor(_Total)\% Processor Time'=55%;50;90`},
	{`check_pdh "counter=\Minne\Tillgängliga byte"`, `OK: \Minne\Tillgängliga byte 2.0 GiB|'\Minne\Tillgängliga byte'=2147483648B`},
	{`check_pdh "counter=\Processor(*)\% Idle Time"`, `OK: \Processor(0)\% Idle Time 70%, \Processor(1)\% Idle Time 20%|...`},
}

func TestSystem(t *testing.T) {
	t.Parallel()
	for _, row := range systemRows {
		t.Run(row.line, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				result, err := run(t, builtin.NewSystemOn(sample()).Commands(), row.line)
				if err != nil {
					t.Fatal(err)
				}
				got := strings.TrimSuffix(check.Encode(result), "\n")
				head, more := strings.CutSuffix(row.want, "...")
				if got != head && !(more && strings.HasPrefix(got, head)) {
					t.Errorf("got\n%s\nwant\n%s", got, row.want)
				}
				if !strings.HasPrefix(got, result.State.String()) {
					t.Errorf("state %s beside the text %q", result.State, got)
				}
			})
		})
	}
}

// Each row is a command line that cannot be run, and what the error says.
var mistakeRows = []struct {
	line string
	says []string
}{
	{"check_memory wran=80% carit=90% foo=1", []string{`"wran" (did you mean "warn"?)`, `"carit" (did you mean "crit"?)`, `unknown option "foo"`, "check_memory --help"}},
	{"check_memory warn=x crit=10:5", []string{`option "warn"`, `"x" is no number`, `option "crit"`, "above its end"}},
	{"check_memory warn=10:20GB", []string{"unit of the same kind"}},
	{"check_memory warn=10%:20GB", []string{"unit of the same kind"}},
	{"check_memory warn=10XB", []string{`"10XB"`, "kb", "%"}},
	{"check_memory warn=1 warn=2", []string{`"warn" is given twice`}},
	{"check_memory --warn", []string{`"--warn" has no value`}},
	{"check_memory sum", []string{`"sum" is no option: write name=value`}},
	{"check_memory -- sum", []string{`"sum" is no option`}},
	{"check_cpu warn=50MB", []string{`"50MB"`, "none of %"}},
	{"check_cpu time=5x", []string{`"5x" is no time: write 30s`}},
	{"check_cpu time=3d", []string{"outside 1s to 1h"}},
	{"check_cpu filter=none", []string{`"filter" of NSClient++ does not exist here`}},
	{`check_cpu "warn=load > 80" "crit=load > 90"`, []string{"expression of NSClient++: write the range 80", "write the range 90"}},
	{`check_drivesize "warn=free < 15%" top-syntax=x`, []string{"write the range 85%", `"top-syntax" of NSClient++`}},
	{`check_process "crit=state = 'stopped'"`, []string{"expression of NSClient++: write a range, such as 80"}},
	{`check_process "crit=count = 0"`, []string{"write the range @0:0"}},
	{`check_uptime "warn=uptime < 2d"`, []string{"write the range 2d:"}},
	{"check_load warn=1,2", []string{"neither one range nor three"}},
	{"check_process process=", []string{"write a name"}},
	{"check_drivesize drive=/hom drive=/", []string{`no file system "/hom"; there are: `, "/var/mail"}},
	{"check_service service=sssh", []string{`no service "sssh"; there are: ssh,`}},
	{"check_network interface=eth9", []string{`no running interface "eth9"`, "eth0"}},
	{"check_pdh", []string{`option "counter=NAME" is missing`}},
	{"check_pdh counter=disk0", []string{`no counter is sampled as "disk0"`}},
	{`check_pdh "counter=\Processor(_Totl)\% Processor Time"`, []string{`no instance "_Totl"; there are: _Total`}},
	{`check_pdh "counter=\Processor\% Processor Time"`, []string{"say which instance", "_Total"}},
	{`check_pdh "counter=\Memory(x)\Available Bytes"`, []string{`Memory has no instances; write \Memory\Available Bytes`}},
	{`check_pdh "counter=\Memory\Availabel Bytes"`, []string{"cannot be had on this machine", `\Memory\Available Bytes`}},
	{`check_pdh "counter=\Memory\Available Bytes" warn=10%`, []string{"not in percent"}},
	{`check_pdh "counter=\LogicalDisk(/mnt/away)\Free Megabytes"`, []string{"no instance"}},
	{`check_pdh "counter=\Paging File(x)\% Usage" "counter=\x\y"`, []string{`no instance "x"`, `counter \x\y cannot be had`}},
	{"CheckSystem.add", []string{"name a counter"}},
	{`CheckSystem.add \Memory\Available Bytes`, []string{"cannot be had", `\Memory\Available Bytes`}},
	{`CheckSystem.add "\Memory\Available Bytes" a b`, []string{`"b" is one word too many`}},
	{`CheckSystem.add Memory`, []string{"no counter after the object"}},
	{`CheckSystem.add "\Memory\Available Bytes" a\b`, []string{"without backslashes"}},
	{`CheckSystem.add \\elsewhere\System\Processes`, []string{"another computer"}},
}

func TestSystemMistakes(t *testing.T) {
	t.Parallel()
	for _, row := range mistakeRows {
		t.Run(row.line, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				result, err := run(t, builtin.NewSystemOn(sample()).Commands(), row.line)
				if err == nil {
					t.Fatalf("no error but %s", check.Encode(result))
				}
				for _, words := range row.says {
					if !strings.Contains(err.Error(), words) {
						t.Errorf("%q does not say %q", err, words)
					}
				}
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("%q has several lines", err)
				}
			})
		})
	}
}

// A fact that cannot be read is an error that carries the reason.
func TestSystemWithoutFigures(t *testing.T) {
	t.Parallel()
	s := builtin.NewSystemOn(builtin.Figures{
		CPU: never[facts.CPU], OS: never[facts.OS], Load: never[facts.Load], Memory: never[facts.Memory], Swap: never[facts.Swap],
		Disks: never[facts.Disks], Filesystems: never[facts.Filesystems], Network: never[facts.Network],
		Processes: never[facts.Processes], Services: never[facts.Services], Uptime: never[facts.Uptime],
	})
	lines := []string{`check_pdh counter=\System\Threads`, `CheckSystem.add \System\Threads`}
	for name := range s.Commands() {
		if name != "check_pdh" && name != "CheckSystem.add" {
			lines = append(lines, name)
		}
	}
	for _, line := range lines {
		if _, err := run(t, s.Commands(), line); !errors.Is(err, errNoFigure) {
			t.Errorf("%s: error %v does not carry the reason", line, err)
		}
	}
}

// The edges of facts: no swap, no service manager, counters that went back,
// a version without numbers.
func TestSystemEdges(t *testing.T) {
	t.Parallel()
	f := sample()
	f.Swap = always(facts.Swap{})
	f.Services = always(facts.Services{Manager: "windows", Services: []facts.Service{
		{Name: "Spooler", State: facts.ServiceStopped, Start: facts.StartAutomatic}, {Name: "Fax", State: facts.ServiceStopped, Start: facts.StartManual},
	}})
	f.OS = always(facts.OS{Name: "plan9"})
	f.CPU = always(facts.CPU{})
	f.Filesystems = always(facts.Filesystems{Filesystems: []facts.Filesystem{{MountPoint: "/proc", Usage: &facts.Usage{}}}})
	calls := 0
	f.Network = func(context.Context) (facts.Network, error) {
		calls++
		return facts.Network{Interfaces: []facts.Interface{{Name: "eth0", Running: true, Counters: &facts.Counters{SentBytes: uint64(1000 / calls)}}}}, nil
	}
	synctest.Test(t, func(t *testing.T) {
		commands := builtin.NewSystemOn(f).Commands()
		for line, want := range map[string]string{
			"check_swap":              "OK: swap is not there: its size is 0|used=0B;;;0;0",
			"check_swap warn=1:":      "WARNING: swap is not there: its size is 0|used=0B;1:;;0;0",
			"check_service":           "CRITICAL: Spooler is stopped|wrong=1;;0;0;2 checked=2;;;0",
			"check_os_version warn=1": "OK: plan9|version=U;1",
			"check_network":           "UNKNOWN: eth0: its traffic counters were reset",
		} {
			result, err := run(t, commands, line)
			if got := strings.TrimSpace(check.Encode(result)); err != nil || got != want {
				t.Errorf("%s: %q, %v; want %q", line, got, err, want)
			}
		}
		for line, says := range map[string]string{
			"check_cpu":       "processor times did not advance in 500ms",
			"check_drivesize": `no file system "*"; there are: /proc`,
			`check_pdh "counter=\Processor(_Total)\% Idle Time"`: "does not tell % Idle Time",
			"check_network interface=eth9":                       `no running interface "eth9"; there are: eth0`,
		} {
			if _, err := run(t, commands, line); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v, want %q", line, err, says)
			}
		}
	})
	f.Services = always(facts.Services{})
	f.Network = always(facts.Network{})
	synctest.Test(t, func(t *testing.T) {
		for line, says := range map[string]string{
			"check_service": "no service manager runs here",
			"check_network": `no running interface "*": there is none`,
		} {
			if _, err := run(t, builtin.NewSystemOn(f).Commands(), line); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v, want %q", line, err, says)
			}
		}
	})
}

// check_cpu and check_network average over the time that was asked for, as far
// as earlier calls reach back.
func TestTimeSpans(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		commands := builtin.NewSystemOn(sample()).Commands()
		for _, step := range []struct {
			wait       time.Duration
			line, over string
		}{
			{0, "check_cpu", "over 500ms"},
			{10 * time.Second, "check_cpu", "over 11s"},
			{4 * time.Minute, "check_cpu time=5m", "over 4m 11s"},
			{50 * time.Second, "check_cpu time=1m", "over 50s"},
		} {
			time.Sleep(step.wait)
			result, err := run(t, commands, step.line)
			if err != nil || !strings.Contains(result.Text, step.over) || !strings.Contains(result.Text, "55% busy") {
				t.Errorf("after %s %s: %q, %v; want it %s", step.wait, step.line, result.Text, err, step.over)
			}
		}
	})
}

// A caller that gives up while the first reading is taken gets its own reason.
func TestFirstReadingEndsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("nobody waits any more")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, why)
		defer cancel()
		for _, name := range []string{"check_cpu", "check_network"} {
			_, err := builtin.NewSystemOn(sample()).Commands()[name].Run(ctx, check.Request{})
			if !errors.Is(err, why) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestSystemIsAModule(t *testing.T) {
	t.Parallel()
	s := builtin.NewSystem(facts.New())
	if s.Name() != "CheckSystem" || s.Description() == "" {
		t.Errorf("it is called %q, %q", s.Name(), s.Description())
	}
	for _, name := range []string{
		"check_cpu", "check_memory", "check_swap", "check_load", "check_drivesize", "check_uptime", "check_process",
		"check_service", "check_network", "check_os_version", "check_pdh", "CheckSystem.add",
	} {
		if s.Commands()[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// On the machine that runs the tests each check either answers, with
// performance data, or says what the machine lacks.
func TestThisMachine(t *testing.T) {
	t.Parallel()
	s := builtin.NewSystem(facts.New())
	defer s.Close()
	for _, line := range []string{"check_cpu", "check_memory", "check_load", "check_uptime", "check_process", "check_os_version"} {
		result, err := run(t, s.Commands(), line)
		if err != nil || len(result.Perf) == 0 || result.State == check.StateUnknown {
			t.Errorf("%s: %+v, %v", line, result, err)
		}
	}
	for _, line := range []string{"check_swap", "check_drivesize", "check_network", "check_service"} {
		result, err := run(t, s.Commands(), line)
		if err == nil && len(result.Perf) == 0 || err != nil && err.Error() == "" {
			t.Errorf("%s: %+v, %v", line, result, err)
		}
	}
}
