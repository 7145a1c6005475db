package builtin_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/builtin"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/facts"
)

// Each row is a counter and the performance data that it gives on the sample
// machine, whose figures grow steadily.
var counterRows = []struct{ path, want string }{
	{`\Processor(0)\% Processor Time`, "=30%"},
	{`\Processor(1)\% User Time`, "=60%"},
	{`\Processor(_Total)\% Privileged Time`, "=15%"},
	{`\Processor(0)\% Idle Time`, "=70%"},
	{`\Memory\Available KBytes`, "=2097152KB"},
	{`\Memory\Available MBytes`, "=2048MB"},
	{`\Memory\Committed Bytes`, "=4294967296B"},
	{`\Memory\Commit Limit`, "=17179869184B"},
	{`\Mémoire\Pourcentage d'octets validés utilisés`, "=25%"},
	{`\PhysicalDisk(sda)\% Disk Time`, "=50%"},
	{`\Fysisk disk(0 C:)\Disktid i procent`, "=50%"},
	{`\PhysicalDisk(0)\% Idle Time`, "=50%"},
	{`\PhysicalDisk(1 D: E:)\% Disk Time`, "=0%"},
	{`\PhysicalDisk(_Total)\% Disk Time`, "=25%"},
	{`\PhysicalDisk(_Total)\% Idle Time`, "=75%"},
	{`\PhysicalDisk(sda)\Disk Read Bytes/sec`, "=2000000B"},
	{`\PhysicalDisk(sda)\Disk Write Bytes/sec`, "=1000000B"},
	{`\PhysicalDisk(_Total)\Disk Bytes/sec`, "=3000000B"},
	{`\PhysicalDisk(sda)\Disk Reads/sec`, "=100"},
	{`\PhysicalDisk(sda)\Disk Writes/sec`, "=50"},
	{`\PhysicalDisk(sda)\Disk Transfers/sec`, "=150"},
	{`\PhysicalDisk(sda)\Current Disk Queue Length`, "=3"},
	{`\PhysicalDisk(sda)\Avg. Disk Queue Length`, "=2"},
	{`\LogicalDisk(/)\% Free Space`, "=37.5%"},
	{`\Logischer Datenträger(C:)\Freier Speicherplatz (%)`, "=37.5%"},
	{`\LogicalDisk(/var/mail)\Free Megabytes`, "=9216MB"},
	{`\LogicalDisk(C:)\Disk Reads/sec`, "=100"},
	{`\LogicalDisk(/var/mail)\% Disk Time`, "=0%"},
	{`\Network Interface(eth0)\Bytes Total/sec`, "=3145728B"},
	{`\Interface réseau(eth0)\Octets reçus/s`, "=2097152B"},
	{`\Network Interface(_Total)\Bytes Sent/sec`, "=1048576B"},
	{`\Network Interface(eth0)\Packets/sec`, "=300"},
	{`\Network Interface(eth0)\Packets Received/sec`, "=200"},
	{`\Network Interface(eth0)\Packets Sent/sec`, "=100"},
	{`\System\Processes`, "=5"},
	{`\System\Threads`, "=4"},
	{`\System\Processor Queue Length`, "=3"},
	{`\System\Context Switches/sec`, "=300"},
	{`\System\System Up Time`, "=273845s"},
	{`\Paging File(_Total)\% Usage`, "=25%"},
	{`\Paging File(/dev/sda2)\% Usage`, "=25%"},
	{`\Process(sshd)\% Processor Time`, "=50%"},
	{`\Process(sshd#1)\% Processor Time`, "=0%"},
	{`\Process(sshd)\% User Time`, "=25%"},
	{`\Process(sshd)\% Privileged Time`, "=25%"},
	{`\Process(_Total)\Working Set`, "=29360128B"},
	{`\Process(SSHD#1)\Thread Count`, "=2"},
	{`\Process(notepad)\ID Process`, "=30"},
}

func TestComputedCounters(t *testing.T) {
	t.Parallel()
	for _, row := range counterRows {
		synctest.Test(t, func(t *testing.T) {
			result, err := run(t, builtin.NewSystemOn(sample()).Commands(), `check_pdh "counter=`+row.path+`"`)
			if err != nil || len(result.Perf) != 1 {
				t.Fatalf("%s: %+v, %v", row.path, result, err)
			}
			text := result.Perf[0].String()
			if got := text[strings.LastIndexByte(text, '='):]; got != row.want || result.Perf[0].Label != row.path {
				t.Errorf("%s: %s, want %s", row.path, text, row.want)
			}
		})
	}
}

// Instances of a counter, and figures that only some of them have.
func TestInstances(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		`\PhysicalDisk(*)\% Disk Time`:    `'\PhysicalDisk(sda)\% Disk Time'=50% '\PhysicalDisk(sdb)\% Disk Time'=0%`,
		`\LogicalDisk(/*)\Disk Reads/sec`: `'\LogicalDisk(/)\Disk Reads/sec'=100 '\LogicalDisk(/snap/core)\Disk Reads/sec'=0 '\LogicalDisk(/var/mail)\Disk Reads/sec'=0`,
		`\Process(sshd*)\ID Process`:      `'\Process(sshd)\ID Process'=20 '\Process(sshd#1)\ID Process'=21`,
		`\Process(*)\Working Set`:         `'\Process(init)\Working Set'=8388608B '\Process(sshd)\Working Set'=16777216B '\Process(sshd#1)\Working Set'=4194304B`,
	} {
		synctest.Test(t, func(t *testing.T) {
			result, err := run(t, builtin.NewSystemOn(sample()).Commands(), `check_pdh "counter=`+path+`"`)
			if got := perfText(result); err != nil || got != want {
				t.Errorf("%s: %s, %v", path, got, err)
			}
		})
	}
}

func perfText(r check.Result) string {
	_, text, _ := strings.Cut(check.Encode(check.Result{Text: "x", Perf: r.Perf}), "|")
	return strings.TrimSpace(text)
}

func TestDiskNames(t *testing.T) {
	t.Parallel()
	var disks []facts.Disk
	for _, name := range []string{
		"ada0", "ada0p1", "disk10", "disk2", "disk2s1", "dm-0", "loop1", "mmcblk0", "mmcblk0p1", "nvme0n1", "nvme0n1p1", "nvme0n1p12",
		"ram0", "sda", "sda1", "sdaa", "sdaa3", "sr0", "vda", "zram0",
	} {
		disks = append(disks, facts.Disk{Name: name})
	}
	f := sample()
	f.Disks = always(facts.Disks{Disks: disks})
	synctest.Test(t, func(t *testing.T) {
		result, err := run(t, builtin.NewSystemOn(f).Commands(), `check_pdh "counter=\PhysicalDisk(*)\Disk Reads/sec"`)
		var got []string
		for _, p := range result.Perf {
			got = append(got, strings.TrimSuffix(strings.TrimPrefix(p.Label, `\PhysicalDisk(`), `)\Disk Reads/sec`))
		}
		if want := "ada0 disk2 disk10 mmcblk0 nvme0n1 sda sdaa vda"; err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q, %v; want %s", got, err, want)
		}
	})
}

// A figure that the system does not tell is an error, not zero.
func TestFigureThatIsNotThere(t *testing.T) {
	t.Parallel()
	f := sample()
	f.Memory = always(facts.Memory{TotalBytes: gib})
	f.Disks = always(facts.Disks{Disks: []facts.Disk{{Name: "sda"}}})
	f.Load = always(facts.Load{LogicalCores: 1})
	for _, path := range []string{
		`\Memory\Committed Bytes`, `\Memory\% Committed Bytes In Use`, `\PhysicalDisk(sda)\% Disk Time`, `\System\Processor Queue Length`,
		`\Process(notepad)\% Processor Time`, `\LogicalDisk(/var/mail)\Disk Reads/sec`,
	} {
		_, err := run(t, builtin.NewSystemOn(f).Commands(), `check_pdh "counter=`+path+`"`)
		if err == nil || !strings.Contains(err.Error(), "this system does not tell") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// The module of the format's documentation asks for this counter on start.
func TestSeedCounter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := builtin.NewSystemOn(sample())
		defer s.Close()
		result, err := run(t, s.Commands(), `CheckSystem.add "\\Fysisk disk(0 C:)\\Disktid i procent"`)
		if err != nil || result.State != check.StateOK || result.Text != `OK: sampling \Fysisk disk(0 C:)\Disktid i procent` {
			t.Fatalf("%+v, %v", result, err)
		}
		time.Sleep(10 * time.Second)
		for _, name := range []string{`\Fysisk disk(0 C:)\Disktid i procent`, `\\PhysicalDisk(0 C:)\% Disk Time`, `\disque physique(0 c:)\Pourcentage du temps disque`} {
			result, err := run(t, s.Commands(), `check_pdh time=5s "counter=`+name+`" warn=40`)
			if err != nil || result.State != check.StateWarning || !strings.HasSuffix(result.Text, "50% on average over 5s") {
				t.Errorf("%s: %+v, %v", name, result, err)
			}
		}
	})
}

// A counter whose machine falls silent says why, once its newest value is old.
func TestCounterThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := sample()
		var broken atomic.Bool
		f.Uptime = func(ctx context.Context) (facts.Uptime, error) {
			if broken.Load() {
				return never[facts.Uptime](ctx)
			}
			return facts.Uptime{UptimeSeconds: 5}, nil
		}
		s := builtin.NewSystemOn(f)
		defer s.Close()
		if _, err := run(t, s.Commands(), `CheckSystem.add "\System\System Up Time" up`); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		broken.Store(true)
		time.Sleep(10 * time.Second)
		if _, err := run(t, s.Commands(), "check_pdh counter=up"); !errors.Is(err, errNoFigure) {
			t.Errorf("the newest value: %v", err)
		}
		if result, err := run(t, s.Commands(), "check_pdh counter=up time=1m"); err != nil || result.Perf[0].Value != 5 {
			t.Errorf("the last minute: %+v, %v", result, err)
		}
	})
}

// Rates leave out what went back, and processes that took over a name.
func TestRatesThatGoBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := sample()
		f.Disks = growing(func(s float64) facts.Disks {
			return facts.Disks{Disks: []facts.Disk{{Name: "sda", Reads: uint64(1000 - 10*s)}}}
		})
		f.Processes = growing(func(s float64) facts.Processes {
			return facts.Processes{Processes: []facts.Process{{PID: 1 + int32(s), Name: "x", UserSeconds: ptr(100 * s), SystemSeconds: ptr(0.0)}}}
		})
		for _, path := range []string{`\PhysicalDisk(sda)\Disk Reads/sec`, `\Process(x)\% Processor Time`} {
			_, err := run(t, builtin.NewSystemOn(f).Commands(), `check_pdh "counter=`+path+`"`)
			if err == nil || !strings.Contains(err.Error(), "has no value yet") {
				t.Errorf("%s: %v", path, err)
			}
		}
	})
}
