package builtin_test

import (
	"context"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/builtin"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/facts"
)

// everything is the commands of both modules on the sample machine.
func everything(s *builtin.System) map[string]check.Runner {
	commands := s.Commands()
	maps.Copy(commands, builtin.NewHelpers(check.RunnerFunc(func(ctx context.Context, req check.Request) (check.Result, error) {
		return commands[req.Command].Run(ctx, req)
	})).Commands())
	return commands
}

// Every command explains itself, however it is asked, and with a state that
// nobody takes for a finding.
func TestHelp(t *testing.T) {
	t.Parallel()
	s := builtin.NewSystemOn(sample())
	docs := append(s.Docs(), builtin.NewHelpers(nil).Docs()...)
	if len(docs) != 19 {
		t.Errorf("%d commands", len(docs))
	}
	for _, doc := range docs {
		for _, asked := range []string{"--help", "help", "-h", "-?"} {
			result, err := run(t, everything(s), doc.Name+" "+asked)
			if err != nil || result.State != check.StateUnknown || result.Text+"\n"+result.Long != doc.Help {
				t.Errorf("%s %s: %+v, %v", doc.Name, asked, result, err)
			}
		}
		if !strings.HasPrefix(doc.Help, doc.Name+": ") || !strings.Contains(doc.Help, "\nUsage: "+doc.Name) || len(doc.Examples) == 0 {
			t.Errorf("the help of %s lacks something:\n%s", doc.Name, doc.Help)
		}
		for line := range strings.Lines(doc.Help) {
			if len(line) > 150 {
				t.Errorf("a line of %d bytes in the help of %s: %s", len(line), doc.Name, line)
			}
		}
	}
}

// All commands may run at once, while counters are added and sampled, and while
// the module is closed.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := builtin.NewSystemOn(sample())
		commands := everything(s)
		var running sync.WaitGroup
		for range 4 {
			for _, line := range []string{
				"check_cpu", "check_network", "check_drivesize drive=/", "check_process", "check_service",
				`CheckSystem.add "\Processor(*)\% Idle Time" idle`, `CheckSystem.add "\PhysicalDisk(*)\Disk Reads/sec"`,
				`check_pdh "counter=\Processor(*)\% Idle Time" time=5s`, `check_pdh "counter=\PhysicalDisk(0)\Disk Reads/sec"`,
				"check_multi command=check_cpu command=check_memory", "check_timeout timeout=1m check_load",
			} {
				running.Go(func() {
					for range 20 {
						if _, err := run(t, commands, line); err != nil {
							t.Errorf("%s: %v", line, err)
						}
						time.Sleep(300 * time.Millisecond)
					}
				})
			}
		}
		running.Wait()
		for range 3 {
			running.Go(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			running.Go(func() {
				result, err := run(t, commands, `CheckSystem.add \System\Threads`)
				if err == nil && result.State != check.StateOK {
					t.Errorf("adding beside Close: %+v", result)
				}
			})
		}
		running.Wait()
	})
}

// Counters of the machine that runs the tests, sampled or read at once, from
// the system itself where it has them.
func TestThisMachinesCounters(t *testing.T) {
	t.Parallel()
	s := builtin.NewSystem(facts.New())
	defer s.Close()
	if result, err := run(t, s.Commands(), `CheckSystem.add "\Processor(_Total)\% Processor Time" cpu`); err != nil || result.State != check.StateOK {
		t.Fatalf("%+v, %v", result, err)
	}
	for line, most := range map[string]float64{
		"check_pdh counter=cpu": 100,
		`check_pdh "counter=\Prozessor(_Total)\Prozessorzeit (%)"`: 100,
		`check_pdh "counter=\System\System Up Time"`:               1e10,
	} {
		result, err := run(t, s.Commands(), line)
		if err != nil || len(result.Perf) != 1 || result.Perf[0].Value < 0 || result.Perf[0].Value > most {
			t.Errorf("%s: %+v, %v", line, result, err)
		}
	}
	_, err := run(t, s.Commands(), `check_pdh "counter=\Memory\Availabel Bytes"`)
	if err == nil || !strings.Contains(err.Error(), `\Memory\Available Bytes`) {
		t.Errorf("a counter that does not exist: %v", err)
	}
}
