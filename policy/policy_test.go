package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/policy"
)

// patterns parses a list that must be valid.
func patterns(t testing.TB, list ...string) policy.Patterns {
	t.Helper()
	p, err := policy.ParsePatterns(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// matchRows are patterns with paths that they match and paths that they do not.
var matchRows = []struct {
	pattern string
	yes, no []string
}{
	{"/host/memory", []string{"/host/memory"}, []string{"/host", "/host/memory/x", "/host/Memory", "/host/memor", "/host/memory2"}},
	{"/host/*", []string{"/host/a", "/host/.hidden"}, []string{"/host", "/host/a/b", "/hosts/a"}},
	{"/host/**", []string{"/host", "/host/a", "/host/a/b/c"}, []string{"/hosta", "/hostile/x", "/"}},
	{"/files/**/x", []string{"/files/x", "/files/a/x", "/files/a/b/x", "/files/x/x"}, []string{"/files", "/files/ax", "/files/x/y"}},
	{"/files/**/a/**/b", []string{"/files/a/b", "/files/a/a/b/b", "/files/x/a/y/b"}, []string{"/files/b/a", "/files/a", "/files/b"}},
	{"/files/**/**", []string{"/files", "/files/a", "/files/a/b"}, []string{"/file"}},
	{"/files/a*/**", []string{"/files/a", "/files/ab", "/files/a/x"}, []string{"/files/b", "/files"}},
	{"/files/**/a/b", []string{"/files/a/a/b", "/files/a/b/a/b"}, []string{"/files/a/b/a"}},
	{"/files/a?c", []string{"/files/abc", "/files/aäc", "/files/a\xffc"}, []string{"/files/a/c", "/files/ac", "/files/abbc"}},
	{"/files/[a-c]x", []string{"/files/ax", "/files/cx"}, []string{"/files/dx", "/files/-x", "/files/a"}},
	{"/files/a[!x]b", []string{"/files/ayb"}, []string{"/files/axb", "/files/a/b", "/files/ab"}},
	{"/files/a[^x]b", []string{"/files/ayb"}, []string{"/files/axb", "/files/a/b"}},
	{"/host/{memory,disks}", []string{"/host/memory", "/host/disks"}, []string{"/host/cpu", "/host/{memory,disks}", "/host/"}},
	{"/host/{mem,s}{ory,wap}", []string{"/host/memory", "/host/swap", "/host/memwap"}, []string{"/host/mem"}},
	{"/host/{a,{b,c}}", []string{"/host/a", "/host/b", "/host/c"}, []string{"/host/d"}},
	{"/dev/tls/*.example.com/443", []string{"/dev/tls/a.example.com/443", "/dev/tls/a.b.example.com/443"},
		[]string{"/dev/tls/example.com/443", "/dev/tls/a.example.com/80", "/dev/tls/a.example.com.evil.org/443", "/dev/tls/x/.example.com/443"}},
	{"/files/größe/*.log", []string{"/files/größe/ä.log"}, []string{"/files/gro\u0308ße/ä.log"}},
	{"/files/**", []string{"/files/\xff", "/files/" + strings.Repeat("x", policy.MaxPath-7)},
		[]string{"/files/../etc", "/files/./x", "/files/x/", "/files//x", "files/x", "", "/files/" + strings.Repeat("x", policy.MaxPath-6)}},
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, row := range matchRows {
		p := patterns(t, row.pattern)
		for _, name := range row.yes {
			if !p.Match(name) {
				t.Errorf("%s does not match %.40q", row.pattern, name)
			}
		}
		for _, name := range row.no {
			if p.Match(name) {
				t.Errorf("%s matches %.40q", row.pattern, name)
			}
		}
	}
	list := patterns(t, "/host/memory", "/files/**")
	if !list.Match("/files/x") || list.Match("/host/cpu") {
		t.Error("a list does not match what one of its patterns does")
	}
	if policy.Patterns(nil).Match("/host/cpu") {
		t.Error("no pattern matches something")
	}
}

// badPatterns are patterns and what the error says of them.
var badPatterns = []struct{ pattern, says string }{
	{"", `does not begin with "/"`},
	{"host/memory", `does not begin with "/"`},
	{"/", "names nothing that can be granted"},
	{"/**", "names nothing that can be granted"},
	{"/*/memory", "names nothing that can be granted"},
	{"/h{ost,ome}/memory", "names nothing that can be granted"},
	{"/etc/passwd", "it must begin with one of /host, /dev, /files, /state, /command, /env, /exec"},
	{"/HOST/memory", "names nothing that can be granted"},
	{"/host/", `write "/host"`},
	{"/host//x", `write "/host/x"`},
	{"/files/../host", `write "/host"`},
	{"/files/./x", `write "/files/x"`},
	{`/files/a\*`, "backslash"},
	{"/files/\x00", "NUL"},
	{"/files/\xff", "not valid; write it in UTF-8"},
	{"/files/x\u202ey", `"/files/x\u202ey": holds a character that does not print`},
	{"/files/\uFFFD", "not valid; write it in UTF-8"},
	{"/files/[a", `"[a" is not a valid glob`},
	{"/files/[]", `"[]" is not a valid glob`},
	{"/files/[a/b]", `"[a" is not a valid glob; close every "[" and "{" before the next "/"`},
	{"/files/{a", "not a valid glob"},
	{"/files/a}", "not a valid glob"},
	{"/files/{a/b,c}", `"{a" is not a valid glob`},
	{"/files/a**", `"**" within "a**"`},
	{"/files/***", `"**" within "***"`},
	{"/files/{**,a}", `"**" within`},
	{"/files/{a,b}{c,d}{e,f}", `more than 2 "{...}"`},
	{"/files/" + strings.Repeat("x", policy.MaxPattern), "longer than 1024 bytes"},
	{"/files/{" + strings.Repeat("a,", 200) + "}", "too costly"},
	{"/files/{" + strings.Repeat("a,", 50) + "}{" + strings.Repeat("b,", 50) + "}", "too costly"},
	{"/files/" + strings.Repeat("{", 1000), "more than 2"},
}

func TestParsePatternsRefuses(t *testing.T) {
	t.Parallel()
	var list []string
	for _, row := range badPatterns {
		p, err := policy.ParsePatterns([]string{"/host/memory", row.pattern})
		if err == nil || p != nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%.40q: %v, %v; want an error that says %q", row.pattern, p, err, row.says)
		} else if !strings.Contains(row.says, "costly") {
			list = append(list, row.pattern)
		}
	}
	_, err := policy.ParsePatterns(list)
	if err == nil || strings.Count(err.Error(), "\n") != len(list)-1 {
		t.Errorf("%d bad patterns at once: %v", len(list), err)
	}
}

func TestParsePatternsBoundsTheList(t *testing.T) {
	t.Parallel()
	many := slices.Repeat([]string{"/host/processes"}, 1000)
	if p, err := policy.ParsePatterns(many); err != nil || !slices.Equal(p, many) {
		t.Errorf("1000 patterns: %d, %v", len(p), err)
	}
	_, err := policy.ParsePatterns(slices.Repeat(many, 10))
	if err == nil || !strings.Contains(err.Error(), `of 10000, "/host/processes": the list is too costly`) {
		t.Errorf("10000 patterns: %v", err)
	}
}

func TestParsePatternsKeepsNothingOfItsArgument(t *testing.T) {
	t.Parallel()
	list := []string{"/host/memory"}
	p := patterns(t, list...)
	list[0] = "/**"
	if p.Match("/host/cpu") || !p.Match("/host/memory") {
		t.Errorf("the patterns changed to %q", p)
	}
}

func TestRoots(t *testing.T) {
	t.Parallel()
	for _, root := range policy.Roots() {
		patterns(t, "/"+root, "/"+root+"/**")
	}
	policy.Roots()[0] = "etc"
	if slices.Contains(policy.Roots(), "etc") {
		t.Error("a caller can change the roots")
	}
}

// coverRows are grants and requests; covered tells whether the grant certainly
// matches whatever the request does.
var coverRows = []struct {
	grant, request string
	covered        bool
}{
	{"/host/memory", "/host/memory", true},
	{"/host/memory", "/host/disks", false},
	{"/host/*", "/host/memory", true},
	{"/host/memory", "/host/*", false},
	{"/host/**", "/host/memory", true},
	{"/host/**", "/host/*", true},
	{"/host/**", "/host", true},
	{"/host/**", "/host/**", true},
	{"/host/*", "/host/**", false},
	{"/host/*/**", "/host/**", false},
	{"/host/**/*", "/host/**", false},
	{"/files/**", "/host/**", false},
	{"/files/**/x", "/files/**/x", true},
	{"/files/**/x", "/files/a/**/b/x", true},
	{"/files/**/x", "/files/a/**/b/*", false},
	{"/files/**/a/**/b", "/files/a/a/*/b/b", true},
	{"/files/a/**/**", "/files/a/**", true},
	{"/files/a*", "/files/a?b*", true},
	{"/files/a*", "/files/a[xy]", false}, // it does, but that is not certain
	{"/files/*", "/files/[xy]?{a,b}", true},
	{"/files/a?", "/files/a*", false},
	{"/files/a?", "/files/a?", true},
	{"/files/?", "/files/??", false},
	{"/files/x*/**", "/files/x/**", true},
	{"/files/[ab]", "/files/a", false}, // likewise
	{"/files/[ab]", "/files/[ab]", true},
	{"/files/a*b]", "/files/a[ab]", false},
	{"/host/{a,b}", "/host/{a,b}", true},
	{"/dev/tls/*.example.com/443", "/dev/tls/www.example.com/443", true},
	{"/dev/tls/*.example.com/443", "/dev/tls/*.example.com/*", false},
	{"/dev/tls/*/443", "/dev/tls/*.example.com/443", true},
}

func TestUncovered(t *testing.T) {
	t.Parallel()
	for _, row := range coverRows {
		a := policy.Access{Asked: patterns(t, row.request), Granted: grants(t, row.grant)}
		if covered := a.Uncovered() == nil; covered != row.covered {
			t.Errorf("%s covers %s: %v, want %v", row.grant, row.request, covered, row.covered)
		}
		if row.covered && !holds(t, a, 1) {
			t.Errorf("no path of %s was tried", row.request)
		}
	}
}

func TestAccess(t *testing.T) {
	t.Parallel()
	a := policy.Access{
		Asked:   patterns(t, "/host/memory", "/host/disks", "/files/logs/**"),
		Granted: grants(t, "/host/m*", "/files/**/*.log", "/env/TOKEN"),
	}
	for name, want := range map[string]bool{
		"/host/memory":       true,
		"/host/disks":        false, // asked, not granted
		"/host/mounts":       false, // granted, not asked
		"/env/TOKEN":         false,
		"/files/logs/a.log":  true, // the grant narrows the request
		"/files/logs/a.txt":  false,
		"/files/other/a.log": false,
	} {
		if got := a.Allows(name); got != want {
			t.Errorf("%s is allowed: %v, want %v", name, got, want)
		}
	}
	if got, want := a.Uncovered(), []string{"/host/disks", "/files/logs/**"}; !slices.Equal(got, want) {
		t.Errorf("uncovered are %q, want %q", got, want)
	}
	var none policy.Access
	if none.Allows("/host/memory") || none.Uncovered() != nil {
		t.Error("the zero Access allows or misses something")
	}
}
