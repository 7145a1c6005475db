package policy_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wasmagent/wasmagent/policy"
)

// FuzzPatterns compares Match with a regular expression made of the pattern.
func FuzzPatterns(f *testing.F) {
	for _, row := range matchRows {
		for _, name := range append(row.yes, row.no...) {
			f.Add(row.pattern, name)
		}
	}
	for _, row := range badPatterns {
		f.Add(row.pattern, "/files/x")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		p, err := policy.ParsePatterns([]string{pattern})
		if err != nil {
			return
		}
		got := p.Match(name)
		if got && (!strings.HasPrefix(name, "/") || strings.Contains(name+"/", "/../") || strings.Contains(name, "//")) {
			t.Errorf("%q matches %q", pattern, name)
		}
		if strings.ContainsAny(pattern, "[{") || !utf8.ValidString(name) || len(name) > policy.MaxPath || strings.ContainsAny(name, "\n") {
			return
		}
		if want := cleanPath.MatchString(name) && expression(pattern).MatchString(name); got != want {
			t.Errorf("%q matches %q: %v, want %v", pattern, name, got, want)
		}
	})
}

// cleanPath matches the paths that are absolute and clean.
var cleanPath = regexp.MustCompile(`^(/([^/.][^/]*|\.[^/.][^/]*|\.\.[^/]+))+$`)

// expression is a pattern without classes and alternatives as a regular expression.
func expression(pattern string) *regexp.Regexp {
	var b strings.Builder
	for _, segment := range strings.Split(pattern, "/")[1:] {
		if segment == "**" {
			b.WriteString("(/[^/]+)*")
			continue
		}
		segment = strings.ReplaceAll(regexp.QuoteMeta(segment), `\*`, `[^/]*`)
		b.WriteString("/" + strings.ReplaceAll(segment, `\?`, `[^/]`))
	}
	return regexp.MustCompile("^" + b.String() + "$")
}

// FuzzUncovered holds Uncovered to its word: if a grant covers a request, every
// path that the request matches is allowed.
func FuzzUncovered(f *testing.F) {
	for i, row := range coverRows {
		f.Add(row.grant, row.request, uint64(i))
	}
	f.Add("/files/{x,a/**/y}", "/files/{x,a/b,c/y}", uint64(0))
	f.Add("/files/x[a/**/b]y", "/files/x[a/q/b]y", uint64(0))
	f.Add("/files/x***", "/files/x*", uint64(0))
	f.Fuzz(func(t *testing.T, grant, request string, seed uint64) {
		granted, err1 := policy.ParseGrants([]string{grant})
		asked, err2 := policy.ParsePatterns([]string{request})
		if err1 != nil || err2 != nil {
			return
		}
		a := policy.Access{Asked: asked, Granted: granted}
		if len(a.Uncovered()) == 0 {
			holds(t, a, seed)
		}
	})
}

// holds makes paths that the request matches and checks that they are allowed.
// It tells whether it made any.
func holds(t *testing.T, a policy.Access, seed uint64) (tried bool) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 50 {
		name := instance(random, a.Asked[0])
		if !a.Asked.Match(name) {
			continue
		}
		tried = true
		if !a.Allows(name) {
			t.Errorf("%q is said to cover %q, which matches %q", a.Granted, a.Asked, name)
		}
	}
	return tried
}

// instance makes a path that the pattern may match.
func instance(random *rand.Rand, pattern string) string {
	var name strings.Builder
	for _, segment := range strings.Split(pattern, "/")[1:] {
		if segment != "**" {
			name.WriteString("/" + fill(random, segment))
			continue
		}
		for range random.IntN(3) {
			name.WriteString("/" + fill(random, "?*"))
		}
	}
	return name.String()
}

// fill puts letters in the places of a segment's wildcards.
func fill(random *rand.Rand, segment string) string {
	segment = alternatives.ReplaceAllStringFunc(segment, func(s string) string {
		choices := strings.Split(s[1:len(s)-1], ",")
		return choices[random.IntN(len(choices))]
	})
	segment = class.ReplaceAllStringFunc(segment, func(s string) string {
		members := []rune(s[1:len(s)-1] + "ax")
		return string(members[random.IntN(len(members))])
	})
	letter := func(string) string { return string([]rune("abxä.]")[random.IntN(6)]) }
	segment = star.ReplaceAllStringFunc(segment, func(s string) string {
		return strings.Repeat(letter(s), random.IntN(3))
	})
	return question.ReplaceAllStringFunc(segment, letter)
}

var (
	alternatives = regexp.MustCompile(`\{[^{}]*\}`)
	class        = regexp.MustCompile(`\[[^]]+\]`)
	star         = regexp.MustCompile(`\*`)
	question     = regexp.MustCompile(`\?`)
)
