package facts_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/shirou/gopsutil/v4/common"

	"github.com/wasmagent/wasmagent/facts"
)

// machine is a context in which gopsutil and this package read a made-up
// machine, given as the contents of files.
func machine(t *testing.T, files map[string]string) context.Context {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return context.WithValue(deadline(t), common.EnvKey, common.EnvMap{
		common.HostProcEnvKey: filepath.Join(root, "proc"),
		common.HostSysEnvKey:  filepath.Join(root, "sys"),
		common.HostEtcEnvKey:  filepath.Join(root, "etc"),
		common.HostVarEnvKey:  filepath.Join(root, "var"),
		common.HostRunEnvKey:  filepath.Join(root, "run"),
	})
}

const meminfo = "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 250 kB\nSwapTotal: 80 kB\nSwapFree: 60 kB\n"

// What a container lacks is absent, and no error of the rest.
func TestMissingPieces(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		fact  string
		files map[string]string
		want  string // a part of the document
		not   string // what must not be in it
	}{
		{"memory without vmstat", "memory", map[string]string{"proc/meminfo": meminfo},
			`"total_bytes":1024000,"available_bytes":256000,"used_bytes":768000,"used_ratio":0.75`, "page_faults"},
		{"swap without vmstat", "swap", map[string]string{"proc/meminfo": meminfo},
			`"total_bytes":81920,"used_bytes":20480,"free_bytes":61440,"used_ratio":0.25,"devices":[]`, "in_bytes"},
		{"load without stat", "load", map[string]string{"proc/loadavg": "0.50 0.25 0.10 1/2 3\n"},
			`"load1":0.5,"load5":0.25,"load15":0.1`, "tasks_running"},
		{"no sensors", "sensors", nil, `{"temperatures":[]}`, "null"},
		{"an operating system without /etc", "os", nil, `"name":"linux"`, "platform"},
		{"network without counters", "network", nil, `"interfaces":[`, "counters"},
		{"no processes", "processes", map[string]string{"proc/version": ""}, `{"processes":[]}`, "null"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text, err := facts.New().Document(machine(t, test.files), test.fact)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), test.want) || strings.Contains(string(text), test.not) {
				t.Errorf("%s\nwant %s and no %s", text, test.want, test.not)
			}
		})
	}
}

// A fact of which nothing can be had is an error that says so.
func TestMissingFacts(t *testing.T) {
	t.Parallel()
	for _, fact := range []string{"memory", "disks", "processes"} {
		text, err := facts.New().Document(machine(t, nil), fact)
		if err == nil || !strings.HasPrefix(err.Error(), fact+": ") {
			t.Errorf("%s of nothing: %v, %s; want an error that begins with the fact's name", fact, err, text)
		}
	}
}

const stat = " S 1 1 1 0 -1 4194560 1 2 3 4 500 250 5 6 20 0 7 0 100 4096000 10 0 0 0 0\n"

func TestHostileProcesses(t *testing.T) {
	t.Parallel()
	ctx := machine(t, map[string]string{
		"proc/10/stat":   "10 (plain)" + stat,
		"proc/10/status": "Name:\tplain\nUid:\t0\t4242424\t0\t0\nVmRSS:\t     12 kB\n",
		"proc/11/stat":   "11 (evil) R 99 (x)" + stat,
		"proc/12/stat":   "12 (\xff\n\"quoted)" + stat,
		"proc/13/stat":   "13 (a-name-that-is-)" + stat,
		"proc/13/cmdline": "/usr/bin/a-name-that-is-cut: worker --password=secret\x00--token=secret\x00" +
			strings.Repeat("x", 1<<20),
		"proc/14/stat":         "14 (cut off) S 1",
		"proc/15/stat":         "no name at all",
		"proc/16/stat":         "",
		"proc/self/stat":       "17 (not a number)" + stat,
		"proc/4294967297/stat": "1 (too large)" + stat,
	})
	text, err := facts.New().Document(ctx, "processes")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"pid":10,"parent_pid":1,"name":"plain","state":"sleeping","user":"4242424","start_time_seconds":`,
		`"user_seconds":5,"system_seconds":2.5,"resident_bytes":12288,"virtual_bytes":4096000,"threads":7}`,
		`{"pid":11,"parent_pid":1,"name":"evil) R 99 (x","state":"sleeping"`,
		`{"pid":12,"parent_pid":1,"name":"?\n\"quoted"`,
		`{"pid":13,"parent_pid":1,"name":"a-name-that-is-cut",`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "secret") || strings.Count(string(text), `"pid"`) != 4 {
		t.Errorf("want processes 10 to 13, and no command line:\n%s", text)
	}
}

func TestSensors(t *testing.T) {
	t.Parallel()
	ctx := machine(t, map[string]string{
		"sys/class/hwmon/hwmon1/name":        "nvme\n",
		"sys/class/hwmon/hwmon1/temp1_input": "38850\n",
		"sys/class/hwmon/hwmon0/name":        "coretemp\n",
		"sys/class/hwmon/hwmon0/temp2_label": "Core 0\n",
		"sys/class/hwmon/hwmon0/temp2_input": "-2000\n",
		"sys/class/hwmon/hwmon0/temp2_max":   "80000\n",
		"sys/class/hwmon/hwmon0/temp2_crit":  "100000\n",
		"sys/class/hwmon/hwmon0/temp3_input": "broken\n",
	})
	text, err := facts.New().Document(ctx, "sensors")
	want := `{"temperatures":[{"name":"coretemp_core_0","value_celsius":-2,"high_celsius":80,"critical_celsius":100},{"name":"nvme","value_celsius":38.85}]}`
	if err != nil || strings.TrimSpace(string(text)) != want {
		t.Errorf("%s, %v\nwant %s", text, err, want)
	}
}

// utmp is one login in the format of utmp(5). Its times have 32 bits where
// programs of 32 bits may share the file, and 64 on arm64.
func utmp(kind int16, name, line, host string, login int32) string {
	fixed := func(text string, size int) []byte { return append([]byte(text), make([]byte, size-len(text))...) }
	long := func(v int32) any {
		if goruntime.GOARCH == "arm64" {
			return int64(v)
		}
		return v
	}
	var b bytes.Buffer
	for _, field := range []any{
		kind, int16(0), int32(1), fixed(line, 32), fixed("", 4), fixed(name, 32), fixed(host, 256),
		int32(0), long(0), long(login), long(0), fixed("", 16), fixed("", 20),
	} {
		_ = binary.Write(&b, binary.LittleEndian, field) // a Buffer takes everything
	}
	b.Write(make([]byte, -b.Len()&7))
	return b.String()
}

func TestUsers(t *testing.T) {
	t.Parallel()
	const login, dead = 7, 8
	ctx := machine(t, map[string]string{"var/run/utmp": utmp(login, "zoe", "pts/0", "198.51.100.7", 1700000000) +
		utmp(dead, "gone", "pts/1", "", 1700000001) +
		utmp(login, "amy", "tty2", "", 1700000002) + utmp(login, "amy", "tty1", "", 0) + "cut off"})
	text, err := facts.New().Document(ctx, "users")
	want := `{"users":[{"name":"amy","terminal":"tty1"},{"name":"amy","terminal":"tty2","login_time_seconds":1700000002},` +
		`{"name":"zoe","terminal":"pts/0","host":"198.51.100.7","login_time_seconds":1700000000}]}`
	if err != nil || strings.TrimSpace(string(text)) != want {
		t.Errorf("%s, %v\nwant %s", text, err, want)
	}
}

func TestPlatform(t *testing.T) {
	t.Parallel()
	const debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n"
	for _, test := range []struct {
		files map[string]string
		want  string
	}{
		{map[string]string{"etc/os-release": debian, "etc/debian_version": "12.11\n"}, `"platform":"debian","family":"debian","version":"12.11",`},
		{map[string]string{"etc/os-release": "ID='ubuntu'\nID_LIKE=debian\nVERSION_ID=24.04", "etc/debian_version": "trixie/sid\n"},
			`"platform":"ubuntu","family":"debian","version":"24.04",`},
		{map[string]string{"etc/os-release": "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.3\"\n"},
			`"platform":"rocky","family":"rhel","version":"9.3",`},
		{map[string]string{"etc/os-release": "# ID=none\nID=nixos\n"}, `"platform":"nixos","kernel_version":`},
		{map[string]string{"etc/alpine-release": "3.9.0\n"}, `"platform":"alpine","family":"alpine","version":"3.9.0",`},
	} {
		text, err := facts.New().Document(machine(t, test.files), "os")
		if err != nil || !strings.Contains(string(text), test.want) {
			t.Errorf("%q: %s, %v; want %s", test.files, text, err, test.want)
		}
	}
}
