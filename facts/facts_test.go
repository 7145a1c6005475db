package facts_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/wasmagent/wasmagent/facts"
)

// deadline is long enough for a loaded machine and bounds a test that hangs.
func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestNames(t *testing.T) {
	t.Parallel()
	want := []string{"cpu", "disks", "filesystems", "load", "memory", "network", "os",
		"processes", "sensors", "services", "swap", "uptime", "users"}
	if got := facts.Names(); !slices.Equal(got, want) {
		t.Errorf("Names() = %q, want %q", got, want)
	}
}

func TestDocumentOfNoFact(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "CPU", "cpu/", "../cpu", "disk"} {
		_, err := facts.New().Document(deadline(t), name)
		if err == nil || !strings.Contains(err.Error(), "cpu, disks, filesystems") {
			t.Errorf("Document(%q): error %v; want one that lists the facts", name, err)
		}
	}
}

// optional are the facts that this machine may lack altogether.
var optional = []string{"sensors", "disks"}

func TestDocuments(t *testing.T) {
	t.Parallel()
	schema, err := hostSchema(t).Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	source := facts.New()
	for _, name := range facts.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := source.Document(deadline(t), name)
			if err != nil && slices.Contains(optional, name) {
				t.Logf("not on this machine: %v", err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			checkDocument(t, schema, name, text)
		})
	}
}

func checkDocument(t *testing.T, schema *jsonschema.Resolved, name string, text []byte) {
	t.Helper()
	if !strings.HasSuffix(string(text), "}\n") {
		t.Errorf("the document does not end in a newline: %q", text)
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(map[string]any{name: value}); err != nil {
		t.Errorf("not as the schema says: %v\n%s", err, text)
	}
	if hasNull(value) {
		t.Errorf("a member is null, and should be absent: %s", text)
	}
}

func hasNull(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case []any:
		return slices.ContainsFunc(v, hasNull)
	case map[string]any:
		for _, member := range v {
			if hasNull(member) {
				return true
			}
		}
	}
	return false
}

// The schema must refuse what the rule of absence refuses.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	schema, err := hostSchema(t).Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`{"uptime": {"uptime_seconds": 1}}`,
		`{"uptime": {"uptime_seconds": "1", "boot_time_seconds": 1}}`,
		`{"services": {"manager": "", "services": null}}`,
		`{"services": {"manager": "", "services": [{"name": "x", "state": "well"}]}}`,
		`{"swap": {"total_bytes": -1, "used_bytes": 0, "free_bytes": 0, "used_ratio": 0, "devices": []}}`,
		`{"swap": {"total_bytes": 1, "used_bytes": 0, "free_bytes": 0, "used_ratio": 50, "devices": []}}`,
		`{"memory": []}`,
	} {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		if schema.Validate(value) == nil {
			t.Errorf("the schema accepts %s", text)
		}
	}
}

func TestEndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	source := facts.New()
	for _, name := range facts.Names() {
		if _, err := source.Document(ctx, name); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%s: error %v; want context.Canceled, after the fact's name", name, err)
		}
	}
}

// Readers at the same time neither disturb one another nor race.
func TestConcurrentReaders(t *testing.T) {
	t.Parallel()
	ctx, source := deadline(t), facts.New()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, name := range facts.Names() {
				if _, err := source.Document(ctx, name); err != nil && !slices.Contains(optional, name) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	all.Wait()
}

func TestCPU(t *testing.T) {
	t.Parallel()
	c, err := facts.New().CPU(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	if c.IntervalSeconds < 0.1 {
		t.Errorf("interval %v s; want at least 0.1, also right after New", c.IntervalSeconds)
	}
	if c.LogicalCores < 1 || c.LogicalCores < len(c.Cores) {
		t.Errorf("%d logical cores, %d listed", c.LogicalCores, len(c.Cores))
	}
	for _, core := range append(c.Cores, c.All) {
		checkCore(t, core)
	}
}

func checkCore(t *testing.T, c facts.Core) {
	t.Helper()
	m := c.ModeRatio
	sum, notBusy := m.User+m.System+m.Idle, m.Idle
	for _, p := range []*float64{m.Nice, m.Iowait, m.Irq, m.Softirq, m.Steal} {
		if p != nil {
			sum += *p
		}
	}
	if m.Iowait != nil {
		notBusy += *m.Iowait
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("%s: the modes add up to %v, want 1: %+v", c.Name, sum, m)
	}
	if math.Abs(c.BusyRatio+notBusy-1) > 1e-9 {
		t.Errorf("%s: busy %v and not busy %v do not add up to 1", c.Name, c.BusyRatio, notBusy)
	}
	if c.ModeSeconds.Idle <= 0 {
		t.Errorf("%s: idle for %v s since the system started", c.Name, c.ModeSeconds.Idle)
	}
}

func TestSums(t *testing.T) {
	t.Parallel()
	ctx, source := deadline(t), facts.New()
	m, err := source.Memory(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if m.TotalBytes < 16<<20 || m.UsedBytes+m.AvailableBytes != m.TotalBytes || m.UsedRatio <= 0 || m.UsedRatio >= 1 {
		t.Errorf("memory does not add up: %+v", m)
	}
	s, err := source.Swap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if s.UsedBytes+s.FreeBytes != s.TotalBytes || (s.TotalBytes == 0) != (len(s.Devices) == 0) && len(s.Devices) > 0 {
		t.Errorf("swap does not add up: %+v", s)
	}
	u, err := source.Uptime(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if now := float64(time.Now().Unix()); math.Abs(u.BootTimeSeconds+u.UptimeSeconds-now) > 5 {
		t.Errorf("boot at %v and up for %v s is not now, %v", u.BootTimeSeconds, u.UptimeSeconds, now)
	}
}

func TestFilesystemSums(t *testing.T) {
	t.Parallel()
	found, err := facts.New().Filesystems(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Filesystems) == 0 {
		t.Error("no file systems; the tests lie on one")
	}
	for _, f := range found.Filesystems {
		u := f.Usage
		if (u == nil) == (f.Error == "") {
			t.Errorf("%s: wants either usage or an error: %+v", f.MountPoint, f)
		}
		if u == nil {
			continue
		}
		if u.TotalBytes == 0 || u.UsedBytes+u.FreeBytes != u.TotalBytes || u.AvailableBytes > u.FreeBytes {
			t.Errorf("%s: sizes do not add up: %+v", f.MountPoint, *u)
		}
		if i := u.Inodes; i != nil && i.Used+i.Free != i.Total {
			t.Errorf("%s: inodes do not add up: %+v", f.MountPoint, *i)
		}
	}
}

// The lists are sorted, so that documents of one machine compare.
func TestOrder(t *testing.T) {
	t.Parallel()
	ctx, source := deadline(t), facts.New()
	f, err := source.Filesystems(ctx)
	sorted(t, "filesystems", f.Filesystems, err, func(a, b facts.Filesystem) int { return strings.Compare(a.MountPoint, b.MountPoint) })
	n, err := source.Network(ctx)
	sorted(t, "network", n.Interfaces, err, func(a, b facts.Interface) int { return strings.Compare(a.Name, b.Name) })
	p, err := source.Processes(ctx)
	sorted(t, "processes", p.Processes, err, func(a, b facts.Process) int { return int(a.PID) - int(b.PID) })
	s, err := source.Services(ctx)
	sorted(t, "services", s.Services, err, func(a, b facts.Service) int { return strings.Compare(a.Name, b.Name) })
}

func sorted[T any](t *testing.T, name string, list []T, err error, compare func(a, b T) int) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	if !slices.IsSortedFunc(list, compare) {
		t.Errorf("%s: not sorted: %+v", name, list)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		facts.New()
	}
}

// BenchmarkDocument reads each fact; that of cpu waits until it covers a tenth
// of a second, once.
func BenchmarkDocument(b *testing.B) {
	for _, name := range facts.Names() {
		b.Run(name, func(b *testing.B) {
			source := facts.New()
			if _, err := source.Document(b.Context(), name); err != nil {
				b.Skip(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := source.Document(b.Context(), name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
