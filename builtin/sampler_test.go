package builtin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/builtin"
	"github.com/wasmagent/wasmagent/facts"
)

// A sampled counter is averaged over the time asked for, in seconds for ten
// minutes and in minutes for a day.
func TestSampling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := sample()
		f.Memory = growing(func(s float64) facts.Memory { return facts.Memory{AvailableBytes: uint64(s)} })
		s := builtin.NewSystemOn(f)
		defer s.Close()
		if _, err := run(t, s.Commands(), `CheckSystem.add "\Memory\Available Bytes" free`); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			wait time.Duration
			line string
			want float64
		}{
			{time.Millisecond, "check_pdh counter=free", 0},
			{100 * time.Second, "check_pdh counter=FREE", 100},
			{0, "check_pdh counter=free time=10s", 95.5},
			{0, "check_pdh counter=free time=5m", 50},
			{2 * time.Hour, "check_pdh counter=free time=1m", 7270.5},
			{0, "check_pdh counter=free time=1h", 5510},
			{0, "check_pdh counter=free time=1d", 3650},
		} {
			time.Sleep(step.wait)
			result, err := run(t, s.Commands(), step.line)
			if err != nil || len(result.Perf) != 1 || result.Perf[0].Label != strings.Fields(strings.ReplaceAll(step.line, "=", " "))[2] {
				t.Fatalf("%s: %+v, %v", step.line, result, err)
			}
			if got := result.Perf[0].Value; got != step.want {
				t.Errorf("%s: %v, want %v", step.line, got, step.want)
			}
		}
	})
}

func TestAddAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := builtin.NewSystemOn(sample())
		defer s.Close()
		for _, step := range []struct{ line, want string }{
			{`CheckSystem.add "\Processor(0)\% Idle Time" idle`, `OK: sampling \Processor(0)\% Idle Time as idle`},
			{`CheckSystem.add "\Prozessor(0)\Leerlaufzeit (%)" idle`, `OK: already sampling \Prozessor(0)\Leerlaufzeit (%) as idle`},
			{`CheckSystem.add counter=\System\Threads --alias t`, `OK: sampling \System\Threads as t`},
			{`CheckSystem.add \System\Threads`, `OK: already sampling \System\Threads`},
			{`CheckSystem.add \System\Threads IDLE`, `alias "IDLE" is the counter \Processor(0)\% Idle Time already`},
			{`CheckSystem.add \System\Processes idle`, `alias "idle" is the counter \Processor(0)\% Idle Time already`},
		} {
			result, err := run(t, s.Commands(), step.line)
			got := result.Text
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, step.want) {
				t.Errorf("%s: %q, want %q", step.line, got, step.want)
			}
		}
	})
}

// Counters, their aliases and their instances are bounded.
func TestSamplingIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := sample()
		f.Network = growing(func(s float64) facts.Network {
			var n facts.Network
			for i := range 100 {
				n.Interfaces = append(n.Interfaces, facts.Interface{Name: fmt.Sprintf("veth%d", i), Running: true, Counters: &facts.Counters{SentBytes: uint64(s)}})
			}
			return n
		})
		s := builtin.NewSystemOn(f)
		defer s.Close()
		var err error
		for i := range builtin.MaxCounters + 1 {
			_, err = run(t, s.Commands(), fmt.Sprintf(`CheckSystem.add "\Network Interface(veth%d)\Bytes Sent/sec"`, i))
			if err != nil && i < builtin.MaxCounters {
				t.Fatal(i, err)
			}
		}
		if err == nil || !strings.Contains(err.Error(), "64 counters are sampled already") {
			t.Errorf("one too many: %v", err)
		}
		for i := range 10 {
			_, err = run(t, s.Commands(), fmt.Sprintf(`CheckSystem.add "\Network Interface(veth0)\Bytes Sent/sec" a%d`, i))
		}
		if err == nil || !strings.Contains(err.Error(), "has 8 aliases already") {
			t.Errorf("one alias too many: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := sample()
		f.Processes = growing(func(s float64) facts.Processes {
			var all facts.Processes
			for i := range 400 {
				all.Processes = append(all.Processes, facts.Process{PID: int32(i), Name: fmt.Sprintf("p%d-%d", i, int(s)/100)})
			}
			return all
		})
		s := builtin.NewSystemOn(f)
		defer s.Close()
		if _, err := run(t, s.Commands(), `CheckSystem.add "\Process(*)\ID Process" pids`); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		result, err := run(t, s.Commands(), `check_pdh counter=pids`)
		if err != nil || len(result.Perf) != 256 {
			t.Errorf("%d instances, %v", len(result.Perf), err)
		}
		time.Sleep(220 * time.Second) // long enough for the first names to be forgotten
		result, err = run(t, s.Commands(), `check_pdh counter=pids`)
		if err != nil || len(result.Perf) != 256 || !strings.HasSuffix(result.Perf[0].Label, "-2") {
			t.Errorf("%d instances later, %v", len(result.Perf), err)
		}
	})
}

// The goroutine exists only while counters are sampled: synctest fails the
// test if one is left when it ends.
func TestCloseEndsSampling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var readings atomic.Int64
		f := sample()
		f.Uptime = func(context.Context) (facts.Uptime, error) {
			readings.Add(1)
			return facts.Uptime{}, nil
		}
		s := builtin.NewSystemOn(f)
		time.Sleep(time.Minute)
		if n := readings.Load(); n != 0 {
			t.Errorf("%d readings before a counter was added", n)
		}
		if _, err := run(t, s.Commands(), `CheckSystem.add "\System\System Up Time"`); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9500 * time.Millisecond)
		synctest.Wait()
		if n := readings.Load(); n != 11 { // one to see that it can be had, ten samples
			t.Errorf("%d readings in ten seconds", n)
		}
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if n := readings.Load(); n != 11 {
			t.Errorf("%d readings after Close", n)
		}
		if _, err := run(t, s.Commands(), `CheckSystem.add \System\Threads`); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("adding after Close: %v", err)
		}
	})
}
