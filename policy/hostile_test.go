package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/policy"
)

// hostile are lists of the most costly patterns that ParsePatterns lets pass,
// each with the path that costs most.
func hostile(t testing.TB) map[string]hostileRow {
	t.Helper()
	a := func(n int) string { return strings.Repeat("a", n) }
	return map[string]hostileRow{
		"stars":        {most(t, "/files/"+strings.Repeat("*a", 508)+"b"), "/files/" + a(1017)},
		"one star":     {most(t, "/files/*"+a(508)+"b"), "/files/" + a(1017)},
		"doublestars":  {most(t, "/files"+strings.Repeat("/**/a", 203)+"/b"), "/files" + strings.Repeat("/a", 509)},
		"segments":     {most(t, "/files/**"+strings.Repeat("/*", 506)+"/b"), "/files" + strings.Repeat("/a", 509)},
		"both":         {most(t, "/files/**"+strings.Repeat("/*aaaaaaaab", 90)), "/files" + strings.Repeat("/"+a(16), 59)},
		"alternatives": {most(t, "/files/{a,a,a,a,a,a,a,a}{a,a,a,a,a,a,a,a}*"+a(200)+"b"), "/files/" + a(1017)},
	}
}

type hostileRow struct {
	list policy.Patterns
	path string
}

// most repeats a pattern as often as a list may hold it.
func most(t testing.TB, pattern string) (list policy.Patterns) {
	t.Helper()
	for {
		longer, err := policy.ParsePatterns(append(slices.Clone(list), pattern))
		if err != nil {
			break
		}
		list = longer
	}
	if len(list) == 0 {
		t.Fatalf("%q: not even one may be in a list", pattern)
	}
	return list
}

// TestHostilePatterns would not end if matching or covering took time
// exponential in the length of a pattern.
func TestHostilePatterns(t *testing.T) {
	t.Parallel()
	for name, row := range hostile(t) {
		if row.list.Match(row.path) {
			t.Errorf("%s: %.60q matches", name, row.list[0])
		}
	}
	deep := policy.Access{
		Asked:   patterns(t, "/files"+strings.Repeat("/a", 500)),
		Granted: grants(t, "/files"+strings.Repeat("/**/a", 200)+"/b"),
	}
	if got := deep.Uncovered(); len(got) != 1 {
		t.Errorf("uncovered are %q", got)
	}
}

func BenchmarkMatch(b *testing.B) {
	rows := hostile(b)
	rows["usual"] = hostileRow{patterns(b, "/host/memory", "/host/disks", "/dev/tls/*.example.com/443", "/files/logs/**/*.log"), "/files/logs/a/b/c.log"}
	for name, row := range rows {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				row.list.Match(row.path)
			}
		})
	}
}
