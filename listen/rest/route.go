package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Who may ask for a route.
type kind uint8

const (
	granted kind = iota // who is granted its verb and path
	public              // everybody
	acts                // who is granted it, but no browser for the page of another site
	changes             // the same; and Audit is told
)

// A route is what answers one verb at one path. In the pattern {version} is "v1"
// or "v2", any other {name} is one segment, and {name...} is one or more to the
// path's end.
type route struct {
	verb, pattern string
	kind          kind
	body          int64 // the most bytes of a body; zero is MaxBody
	answer        func(*request) http.Handler
	segments      []string
}

// table is everything that the API answers.
func (a *api) table() []route {
	return slices.Concat(a.infoRoutes(), a.loginRoutes(), a.queryRoutes(), a.scheduleRoutes(), a.moduleRoutes(), a.scriptRoutes(),
		a.settingRoutes(), a.logRoutes(), a.eventRoutes())
}

// matches tells whether a path is one of the route's.
func (t route) matches(path []string) bool {
	for i, s := range t.segments {
		switch {
		case strings.HasSuffix(s, "...}"):
			return i < len(path)
		case i >= len(path) || !segmentMatches(s, path[i]):
			return false
		}
	}
	return len(path) == len(t.segments)
}

func segmentMatches(pattern, segment string) bool {
	switch {
	case pattern == "{version}":
		return segment == "v1" || segment == "v2"
	case strings.HasPrefix(pattern, "{"):
		return segment != ""
	}
	return pattern == segment
}

// vars are the variables of a path that matches, by their names.
func (t route) vars(path []string) map[string]string {
	vars := make(map[string]string)
	for i, s := range t.segments {
		name := strings.Trim(s, "{}")
		if rest, ok := strings.CutSuffix(name, "..."); ok {
			vars[rest] = strings.Join(path[i:], "/")
		} else if name != s {
			vars[name] = path[i]
		}
	}
	return vars
}

// find finds the route of a request. Without one, allow are the verbs that the
// path has routes for. Whoever may GET may HEAD, unless that changed something.
func (a *api) find(verb string, path []string) (t route, allow []string) {
	for _, t := range a.routes {
		if !t.matches(path) {
			continue
		}
		verbs := t.verbs()
		if slices.Contains(verbs, verb) {
			return t, nil
		}
		allow = append(allow, verbs...)
	}
	slices.Sort(allow)
	return route{}, slices.Compact(allow)
}

func (t route) verbs() []string {
	if t.verb == "GET" && t.kind != changes {
		return []string{"GET", "HEAD"}
	}
	return []string{t.verb}
}

// splitPath decodes the segments of a path as it was sent. Slashes at its end do
// not count; the path "/" is one empty segment.
func splitPath(escaped string) (segments []string, err error) {
	escaped = strings.TrimRight(escaped, "/")
	for s := range strings.SplitSeq(strings.TrimPrefix(escaped, "/"), "/") {
		segment, err := url.PathUnescape(s)
		if err != nil {
			return nil, err
		}
		segments = append(segments, segment)
	}
	return segments, nil
}

// joinPath is the path that grants are about. A slash within a segment stays
// encoded, so that a path means to the grants what it means to the routes.
func joinPath(segments []string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString("/" + strings.ReplaceAll(s, "/", "%2F"))
	}
	return b.String()
}
