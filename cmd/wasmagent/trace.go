package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/wasmagent/wasmagent/audit"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A trace prints the paths that scripts try, as strace does, and collects the
// permissions that they need. A nil trace does nothing.
type trace struct {
	out io.Writer

	lock   sync.Mutex
	needed map[string]bool
}

// observe watches one run of a script: for the trace, and for the audit log, which
// hears what is refused.
func (s *setup) observe(m *zipmod.Module, command string) (func(runtime.Attempt), func()) {
	var run *audit.Run // of a run that is refused something
	return func(a runtime.Attempt) {
		if a.Refused {
			if run == nil {
				run = s.audit.Run(m.Name, m.Digest, command)
			}
			run.Refused(a.Path, a.Why)
			s.refused.note(m, a)
		}
		s.trace.tried(command, a)
	}, func() { run.Close() }
}

// tried prints one attempt.
func (t *trace) tried(command string, a runtime.Attempt) {
	if t == nil {
		return
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	outcome := "ok"
	if a.Errno != "" {
		outcome = a.Errno
	}
	if a.Why != "" {
		outcome += ": " + visible(strings.ReplaceAll(a.Why, "\n", " "))
	}
	fmt.Fprintf(t.out, "%s: %s %q = %s\n", command, a.Op, a.Path, outcome)
	if needed, ok := permission(a.Path); ok && a.NeedsGrant && (a.Refused || a.Errno != "ENOENT") {
		t.needed[needed] = true
	}
}

// permission is what module.json asks for so that a path can be opened: what a
// script keeps or reads in a directory has names that change. There is none for a
// path that would be a pattern of others, or that holds what no pattern can: a script
// chooses its paths, and nobody is to be told to grant it more than it tried.
func permission(path string) (pattern string, ok bool) {
	segments := strings.Split(path, "/")
	switch {
	case segments[1] == "state":
		return "/state/**", true
	case segments[1] == "files" && len(segments) > 2:
		path = "/files/" + segments[2]
		pattern = path + "/**"
	default:
		pattern = path
	}
	_, err := policy.ParsePatterns([]string{path})
	return pattern, err == nil && !strings.ContainsAny(path, "*?[]{}")
}

// end prints the permissions that the run needs.
func (t *trace) end() error {
	if t == nil {
		return nil
	}
	list := []string{}
	for p := range t.needed {
		list = append(list, p)
	}
	slices.Sort(list)
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "\"permissions\": %s\n", text)
	return err
}
