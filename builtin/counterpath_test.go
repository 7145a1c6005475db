package builtin_test

import (
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/builtin"
)

// Each row is a counter path, its parts, and the path in English; or an error.
var pathRows = []struct{ path, object, instance, counter, english, err string }{
	{path: `\Processor(_Total)\% Processor Time`, object: "Processor", instance: "_Total", counter: "% Processor Time"},
	{path: `\Memory\Available Bytes`, object: "Memory", counter: "Available Bytes"},
	{path: `Memory\Available Bytes`, object: "Memory", counter: "Available Bytes", english: `\Memory\Available Bytes`},
	{path: `\Fysisk disk(0 C:)\Disktid i procent`, object: "Fysisk disk", instance: "0 C:", counter: "Disktid i procent", english: `\PhysicalDisk(0 C:)\% Disk Time`},
	{path: `\\Fysisk disk(0 C:)\Disktid i procent`, object: "Fysisk disk", instance: "0 C:", counter: "Disktid i procent", english: `\PhysicalDisk(0 C:)\% Disk Time`},
	{path: `\\Fysisk disk(0 C:)\\Disktid i procent`, object: "Fysisk disk", instance: "0 C:", counter: "Disktid i procent", english: `\PhysicalDisk(0 C:)\% Disk Time`},
	{path: `\\Minne\\Tillgängliga byte`, object: "Minne", counter: "Tillgängliga byte", english: `\Memory\Available Bytes`},
	{path: `\Prozessor(_Total)\Prozessorzeit (%)`, object: "Prozessor", instance: "_Total", counter: "Prozessorzeit (%)", english: `\Processor(_Total)\% Processor Time`},
	{path: `\ARBEITSSPEICHER\zugesicherte verwendete bytes (%)`, object: "ARBEITSSPEICHER", counter: "zugesicherte verwendete bytes (%)", english: `\Memory\% Committed Bytes In Use`},
	{path: `\Netzwerkschnittstelle(*)\Empfangene Bytes/Sek.`, object: "Netzwerkschnittstelle", instance: "*", counter: "Empfangene Bytes/Sek.", english: `\Network Interface(*)\Bytes Received/sec`},
	{path: `\Fichier d’échange(_Total)\Pourcentage d’utilisation`, object: "Fichier d’échange", instance: "_Total", counter: "Pourcentage d’utilisation", english: `\Paging File(_Total)\% Usage`},
	{path: `\Système\Processus`, object: "Système", counter: "Processus", english: `\System\Processes`},
	{path: `\Processus(init)\Nombre de threads`, object: "Processus", instance: "init", counter: "Nombre de threads", english: `\Process(init)\Thread Count`},
	{path: `\Logisk disk(C:\mnt\data)\Disk – lästa byte/s`, object: "Logisk disk", instance: `C:\mnt\data`, counter: "Disk – lästa byte/s", english: `\LogicalDisk(C:\mnt\data)\Disk Read Bytes/sec`},
	{path: `\Network Interface(Intel(R) x)\Packets/sec`, object: "Network Interface", instance: "Intel(R) x", counter: "Packets/sec"},
	{path: `\\.\System\Threads`, object: "System", counter: "Threads", english: `\System\Threads`},
	{path: `\\localhost\Memory\Available Bytes`, object: "Memory", counter: "Available Bytes", english: `\Memory\Available Bytes`},
	{path: `\SQLServer:Locks(a/b#1)\Waits`, object: "SQLServer:Locks", instance: "a/b#1", counter: "Waits"},
	{path: `\\server\Memory\Available Bytes`, err: "another computer"},
	{path: `\\server\Processor(0)\% Idle Time`, err: "another computer"},
	{path: ``, err: "no counter after the object"},
	{path: `Memory`, err: "no counter after the object"},
	{path: `\Memory\`, err: "empty"},
	{path: `\`, err: "no counter after the object"},
	{path: `\(x)\y`, err: "empty"},
	{path: `\Processor()\% Idle Time`, err: "its instance is empty"},
	{path: `\Processor( )\% Idle Time`, err: "its instance is empty"},
	{path: `\Processor(0\% Idle Time`, err: "not closed"},
	{path: "\\Memory\\Avail\x00able", err: "control characters"},
	{path: "\\Memory\\Avail\xffable", err: "not UTF-8"},
	{path: `\Memory\` + strings.Repeat("x", 3000), err: "more than 2048"},
}

func TestCounterPath(t *testing.T) {
	t.Parallel()
	for _, row := range pathRows {
		object, instance, counter, _, english, err := builtin.ParseCounterPath(row.path)
		if row.err != "" {
			if err == nil || !strings.Contains(err.Error(), row.err) || !strings.Contains(err.Error(), `write \Object`) {
				t.Errorf("%.60q: error %v, want %q", row.path, err, row.err)
			}
			continue
		}
		if row.english == "" {
			row.english = row.path
		}
		if err != nil || object != row.object || instance != row.instance || counter != row.counter || english != row.english {
			t.Errorf("%q: %q, %q, %q, English %q, error %v", row.path, object, instance, counter, english, err)
		}
	}
}

// What is read can be written and read again.
func FuzzCounterPath(f *testing.F) {
	for _, row := range pathRows {
		f.Add(row.path)
	}
	f.Fuzz(func(t *testing.T, s string) {
		object, instance, counter, text, english, err := builtin.ParseCounterPath(s)
		if err != nil {
			return
		}
		again := func(s string) string {
			o, i, c, _, _, err := builtin.ParseCounterPath(s)
			if err != nil {
				t.Fatalf("%q became %q: %v", s, text, err)
			}
			return o + "\n" + i + "\n" + c
		}
		if got := again(text); got != object+"\n"+instance+"\n"+counter {
			t.Errorf("%q became %q, then %q", s, text, got)
		}
		again(english)
	})
}

// Every name in the table is found, and none stands for two counters.
func TestTranslations(t *testing.T) {
	t.Parallel()
	for _, table := range []map[string]string{builtin.ObjectNames(), builtin.CounterNames()} {
		for entry, found := range table {
			english, name, _ := strings.Cut(entry, "\x00")
			if found != english {
				t.Errorf("%q is taken for %q, not for %q", name, found, english)
			}
		}
	}
}

// Every counter that is computed has names in other languages.
func TestEveryCounterIsTranslated(t *testing.T) {
	t.Parallel()
	known := map[string]int{}
	for entry := range builtin.CounterNames() {
		english, _, _ := strings.Cut(entry, "\x00")
		known[english]++
	}
	for _, path := range builtin.CatalogPaths() {
		_, _, counter, _, _, err := builtin.ParseCounterPath(path)
		if err != nil || known[counter] < 2 {
			t.Errorf("%s: %d names, error %v", path, known[counter], err)
		}
	}
}
