package metrics_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/metrics"
)

// text is what a Gatherer gathers, in the format of Prometheus.
func text(t testing.TB, g prometheus.Gatherer, format expfmt.Format) string {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Errorf("gather: %v", err)
	}
	var b bytes.Buffer
	w := expfmt.NewEncoder(&b, format)
	for _, f := range families {
		if err := w.Encode(f); err != nil {
			t.Errorf("encode %s: %v", f.GetName(), err)
		}
	}
	if c, ok := w.(expfmt.Closer); ok {
		c.Close()
	}
	return b.String()
}

var plainText = expfmt.NewFormat(expfmt.TypeTextPlain)

// series are the samples of the text whose names begin with a prefix.
func series(t testing.TB, g prometheus.Gatherer, prefix string) []string {
	t.Helper()
	var list []string
	for line := range strings.Lines(text(t, g, plainText)) {
		if strings.HasPrefix(line, prefix) {
			list = append(list, strings.TrimSuffix(line, "\n"))
		}
	}
	return list
}

func wantSeries(t testing.TB, g prometheus.Gatherer, prefix string, want ...string) {
	t.Helper()
	if got := series(t, g, prefix); !slices.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", prefix, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// promtool checks what a Gatherer gathers as people check an exporter.
func promtool(t *testing.T, g prometheus.Gatherer) {
	t.Helper()
	c := exec.CommandContext(t.Context(), needs.Program(t, "promtool"), "check", "metrics")
	c.Stdin = strings.NewReader(text(t, g, plainText))
	if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

func at(second int64) time.Time { return time.Unix(1_700_000_000+second, 500e6) }

// ran is the event of a run that a module's command was found for.
func ran(number uint64, command string, state check.State, took time.Duration) check.Event {
	return check.Event{
		Number: number, Module: "Web", Request: check.Request{Command: command, Origin: check.NRPE},
		Result: check.Result{State: state, Usage: check.Usage{Wall: took}},
	}
}

func TestRuns(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Config{})
	m.Observe(ran(1, "check_page", check.StateOK, 3*time.Millisecond))
	m.Observe(ran(2, "CHECK_page", check.StateOK, 4*time.Millisecond))
	m.Observe(ran(3, "web.Check_Page", check.StateCritical, 2*time.Second))
	wantSeries(t, m, "wasmagent_runs_total",
		`wasmagent_runs_total{command="check_page",module="Web",origin="nrpe",state="critical"} 1`,
		`wasmagent_runs_total{command="check_page",module="Web",origin="nrpe",state="ok"} 2`)
	wantSeries(t, m, `wasmagent_run_duration_seconds_sum`, `wasmagent_run_duration_seconds_sum{command="check_page",module="Web"} 2.007`)
	wantSeries(t, m, `wasmagent_run_duration_seconds_bucket{command="check_page",module="Web",le="0.005"}`,
		`wasmagent_run_duration_seconds_bucket{command="check_page",module="Web",le="0.005"} 2`)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Config{})
	for i, err := range []error{
		fmt.Errorf("%w: 256", check.ErrBusy),
		fmt.Errorf("x: %w", check.ErrUnknownCommand),
		fmt.Errorf("y: %w", check.ErrUnknownCommand),
		errors.New("70000 bytes of arguments"),
	} {
		m.Observe(check.Event{Number: uint64(i + 1), Request: check.Request{Command: fmt.Sprint("guess", i), Origin: check.REST}, Err: err})
	}
	wantSeries(t, m, "wasmagent_runs_refused_total",
		`wasmagent_runs_refused_total{origin="rest",reason="busy"} 1`,
		`wasmagent_runs_refused_total{origin="rest",reason="limit"} 1`,
		`wasmagent_runs_refused_total{origin="rest",reason="unknown"} 2`)
	wantSeries(t, m, "wasmagent_runs_total")
	if all := text(t, m, plainText); strings.Contains(all, "guess") {
		t.Error("a command that no module has is a label")
	}
}

func TestCommandsAreBounded(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Config{})
	for i := range 3 * metrics.MaxCommands {
		m.Observe(ran(uint64(i+1), fmt.Sprint("command", i), check.StateOK, 0))
	}
	m.Observe(ran(3*metrics.MaxCommands+1, "command0", check.StateOK, 0))
	got := series(t, m, "wasmagent_runs_total")
	if len(got) != metrics.MaxCommands+1 {
		t.Errorf("%d series, want %d", len(got), metrics.MaxCommands+1)
	}
	for _, want := range []string{
		fmt.Sprintf(`wasmagent_runs_total{command="",module="",origin="nrpe",state="ok"} %d`, 2*metrics.MaxCommands),
		`wasmagent_runs_total{command="command0",module="Web",origin="nrpe",state="ok"} 2`,
	} {
		if !slices.Contains(got, want) {
			t.Errorf("there is no %s", want)
		}
	}
}

func TestReloads(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Config{})
	wantSeries(t, m, "wasmagent_config_last", "wasmagent_config_last_reload_success_timestamp_seconds 0", "wasmagent_config_last_reload_successful 0")
	m.Reloaded(at(0), nil)
	m.Reloaded(at(60), errors.New("line 3"))
	wantSeries(t, m, "wasmagent_config_",
		"wasmagent_config_last_reload_success_timestamp_seconds 1.7000000005e+09",
		"wasmagent_config_last_reload_successful 0",
		`wasmagent_config_reloads_total{result="failure"} 1`,
		`wasmagent_config_reloads_total{result="success"} 1`)
	m.Reloaded(at(120), nil)
	wantSeries(t, m, "wasmagent_config_last",
		"wasmagent_config_last_reload_success_timestamp_seconds 1.7000001205e+09", "wasmagent_config_last_reload_successful 1")
}

// figures is a Config whose every function says something.
func figures() metrics.Config {
	return metrics.Config{
		Version: "v1.2.3",
		Running: func() int { return 7 },
		Modules: func() []metrics.Module {
			return []metrics.Module{
				{Name: "CheckSystem", State: "loaded"},
				{Name: "web", State: "degraded", Version: "1.0\xff\n\"", Digest: "6d67"},
				{Name: "web", State: "loaded"},
			}
		},
		Listeners: func() []metrics.Listener {
			return []metrics.Listener{{
				Name: "nrpe 127.0.0.1:5666", Connections: 2, Requests: 1, Accepted: 10, Served: 8,
				Refused: map[string]uint64{"host": 3, "rate": 4},
			}}
		},
		Lost:   func() map[string]uint64 { return map[string]uint64{"log": 5, "a\xff": 1, "a\xfe": 2} },
		Missed: func() map[string]uint64 { return map[string]uint64{"disk": 3} },
		Checks: func() []check.Event {
			return []check.Event{scheduled("disk", "'/'=42%;80;90;0;100 io=7c 'free space'=1.5GB")}
		},
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	m := metrics.New(figures())
	wantSeries(t, m, "wasmagent_running", "wasmagent_running_checks 7")
	wantSeries(t, m, "wasmagent_modules", `wasmagent_modules{state="degraded"} 1`, `wasmagent_modules{state="loaded"} 1`)
	wantSeries(t, m, "wasmagent_module_",
		`wasmagent_module_info{digest="",module="CheckSystem",state="loaded",version=""} 1`,
		`wasmagent_module_info{digest="6d67",module="web",state="degraded",version="1.0`+"\uFFFD"+`\n\""} 1`)
	wantSeries(t, m, "wasmagent_listener",
		`wasmagent_listener_connections_total{listener="nrpe 127.0.0.1:5666"} 10`,
		`wasmagent_listener_open_connections{listener="nrpe 127.0.0.1:5666"} 2`,
		`wasmagent_listener_refused_total{listener="nrpe 127.0.0.1:5666",reason="host"} 3`,
		`wasmagent_listener_refused_total{listener="nrpe 127.0.0.1:5666",reason="rate"} 4`,
		`wasmagent_listener_requests_total{listener="nrpe 127.0.0.1:5666"} 8`,
		`wasmagent_listener_running_requests{listener="nrpe 127.0.0.1:5666"} 1`)
	wantSeries(t, m, "wasmagent_events_lost", `wasmagent_events_lost_total{subscriber="a`+"\uFFFD"+`"} 3`, `wasmagent_events_lost_total{subscriber="log"} 5`)
	wantSeries(t, m, "wasmagent_check_missed", `wasmagent_check_missed_runs_total{check="disk"} 3`)
	if got := series(t, m, "wasmagent_build_info"); len(got) != 1 || !strings.Contains(got[0], `version="v1.2.3"`) {
		t.Errorf("%q", got)
	}
	if got := series(t, m, "go_goroutines "); len(got) != 1 {
		t.Errorf("figures of Go: %q", got)
	}
}

func TestPromtoolLikesTheNames(t *testing.T) {
	t.Parallel()
	m := metrics.New(figures())
	m.Observe(ran(1, "x", check.StateOK, time.Second))
	m.Observe(check.Event{Number: 2, Request: check.Request{Origin: check.NRPE}, Err: check.ErrBusy})
	promtool(t, m)
	promtool(t, metrics.Probe(check.Result{Perf: parsePerf(t, "a=1s;2;3;0;9 b=1B;2;3 c=1%;@2:3;4 d=1c;2;3 e=1;2;3 f=1W;2;3")}, time.Second))
}

func TestOpenMetrics(t *testing.T) {
	t.Parallel()
	m := metrics.New(figures())
	m.Observe(ran(1, "x", check.StateOK, time.Second))
	got := text(t, m, expfmt.NewFormat(expfmt.TypeOpenMetrics))
	for _, want := range []string{
		"# TYPE wasmagent_runs counter\n",
		"# TYPE wasmagent_check_perf counter\nwasmagent_check_perf_total{check=\"disk\",label=\"io\"} 7.0\n",
		"# TYPE wasmagent_check_perf_ratio gauge\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q", want)
		}
	}
	if !strings.HasSuffix(got, "# EOF\n") {
		t.Error("it does not end in EOF")
	}
	types := map[string]bool{}
	for line := range strings.Lines(got) {
		if family, ok := strings.CutPrefix(line, "# TYPE wasmagent_"); ok {
			name, _, _ := strings.Cut(family, " ")
			if types[name] {
				t.Errorf("%s is there twice", name)
			}
			types[name] = true
		}
	}
}

func TestNothingIsKnown(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Config{})
	wantSeries(t, m, "wasmagent_check")
	wantSeries(t, m, "wasmagent_running")
	promtool(t, m)
}

// TestPage holds the names in docs/prometheus.md against those that there are.
func TestPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/prometheus.md")
	if err != nil {
		t.Fatal(err)
	}
	every := "a=1s;2;3 b=1B;2;3 c=1%;2;3 d=1c;2;3 e=1;2;3"
	c := figures()
	c.Checks = func() []check.Event { return []check.Event{scheduled("x", every)} }
	m := metrics.New(c)
	m.Observe(ran(1, "x", check.StateOK, 0))
	m.Observe(check.Event{Number: 2, Err: check.ErrBusy})
	names := map[string]bool{}
	for _, g := range []prometheus.Gatherer{m, metrics.Probe(check.Result{Perf: parsePerf(t, every)}, 0)} {
		families, err := g.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			names[strings.Replace(f.GetName(), "probe_perf_", "wasmagent_check_perf_", 1)] = true
		}
	}
	said := map[string]bool{}
	for _, found := range regexp.MustCompile("`((?:wasmagent|probe)_[a-z_]+)`").FindAllStringSubmatch(string(page), -1) {
		said[found[1]] = true
		if !names[found[1]] && !strings.HasSuffix(found[1], "_") {
			t.Errorf("the page names %s, which there is not", found[1])
		}
	}
	for name := range names {
		if !said[name] && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("the page does not name %s", name)
		}
	}
}

// BenchmarkGather is a scrape of an agent with 1,000 scheduled checks, each with
// ten items of performance data that have all bounds.
func BenchmarkGather(b *testing.B) {
	var events []check.Event
	var items []string
	for i := range 10 {
		items = append(items, fmt.Sprintf("label%d=%d.5ms;10;20;0;100", i, i))
	}
	for i := range 1000 {
		events = append(events, scheduled(fmt.Sprint("check", i), strings.Join(items, " ")))
	}
	m := of(events...)
	for b.Loop() {
		if _, err := m.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkObserve is what a run costs beside the run.
func BenchmarkObserve(b *testing.B) {
	m := metrics.New(metrics.Config{})
	for n := uint64(1); b.Loop(); n++ {
		m.Observe(ran(n, "check_page", check.StateOK, time.Millisecond))
	}
}
