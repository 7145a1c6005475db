package rest

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/wasmagent/wasmagent/check"
)

// A Query is a command that can be run, or an alias of one.
type Query struct {
	// Name is what it is asked for by, and Module whose it is.
	Name, Module string
	// Title and Description are for people; Title is Name by default.
	Title, Description string
	// Metadata is whatever else there is to say. Nil is nothing.
	Metadata map[string]string
}

func (a *api) queryRoutes() []route {
	return []route{
		{verb: "GET", pattern: "/api/{version}/queries", answer: a.listQueries},
		{verb: "GET", pattern: "/api/{version}/queries/{query}", answer: a.query},
		{verb: "GET", pattern: "/api/{version}/queries/{query}/commands/execute", kind: acts, answer: a.execute},
		{verb: "GET", pattern: "/api/{version}/queries/{query}/commands/execute_nagios", kind: acts, answer: a.executeNagios},
		{verb: "GET", pattern: "/api/{version}/aliases", answer: a.listAliases},
		{verb: "GET", pattern: "/query/{query}", kind: acts, answer: a.legacyQuery},
	}
}

// queryJSON is one query: in a list it has the first URL, by itself the others.
type queryJSON struct {
	Name             string            `json:"name"`
	Plugin           string            `json:"plugin"`
	QueryURL         string            `json:"query_url,omitempty"`
	Title            string            `json:"title"`
	ExecuteURL       string            `json:"execute_url,omitempty"`
	ExecuteNagiosURL string            `json:"execute_nagios_url,omitempty"`
	Metadata         map[string]string `json:"metadata"`
	Description      string            `json:"description"`
}

func (c Query) json() queryJSON {
	metadata := c.Metadata
	if metadata == nil {
		metadata = map[string]string{}
	}
	return queryJSON{Name: c.Name, Plugin: c.Module, Title: cmp.Or(c.Title, c.Name), Metadata: metadata, Description: c.Description}
}

func (a *api) listQueries(q *request) http.Handler { return q.list(a.Queries) }
func (a *api) listAliases(q *request) http.Handler { return q.list(a.Aliases) }

func (q *request) list(queries func() []Query) http.Handler {
	list := []queryJSON{}
	if queries == nil {
		return document(http.StatusOK, list)
	}
	for _, c := range queries() {
		j := c.json()
		j.QueryURL = q.url("queries", c.Name)
		list = append(list, j)
	}
	return document(http.StatusOK, list)
}

func (a *api) query(q *request) http.Handler {
	name := q.vars["query"]
	for _, list := range []func() []Query{a.Queries, a.Aliases} {
		if list == nil {
			continue
		}
		for _, c := range list() {
			if strings.EqualFold(c.Name, name) {
				j := c.json()
				j.ExecuteURL = q.url("queries", c.Name, "commands", "execute")
				j.ExecuteNagiosURL = q.url("queries", c.Name, "commands", "execute_nagios")
				return document(http.StatusOK, j)
			}
		}
	}
	return problem(http.StatusNotFound, "there is no query %q; see %s", name, q.url("queries"))
}

// run runs the command that the request names and answers with its result. An
// error of the run is an UNKNOWN; what could not be run is a result, too.
func (a *api) run(q *request, answer func(command string, r check.Result) http.Handler) http.Handler {
	command := q.vars["query"]
	if err := q.mayRun(command); err != nil {
		return refusal(q.Request, statusOf(err), err.Error())
	}
	r, err := a.Run.Run(q.Context(), check.Request{Command: command, Args: q.arguments(), Origin: check.REST, Allowed: q.who.AllowsCommand})
	if err != nil {
		r = check.Unknown(err)
	}
	if q.wantsText() {
		return resultText(r)
	}
	return answer(command, r)
}

// mayRun says why the user may not run a command; nil if that is granted.
func (q *request) mayRun(command string) error {
	if q.who.AllowsCommand(command) {
		return nil
	}
	return &Refusal{http.StatusForbidden, fmt.Errorf("user %s may not run %q: no role of the user names it in commands", q.who.User, command)}
}

// resultText answers with what a plugin prints.
func resultText(r check.Result) http.Handler {
	return text(textStatus(r.State), check.Encode(r)+"\n")
}

// textStatus is the status of an answer in plain text, by which a client tells
// the state.
func textStatus(s check.State) int {
	switch s {
	case check.StateOK:
		return http.StatusOK
	case check.StateWarning:
		return http.StatusAccepted
	case check.StateCritical:
		return http.StatusInternalServerError
	}
	return http.StatusServiceUnavailable
}

func (a *api) execute(q *request) http.Handler {
	return a.run(q, func(command string, r check.Result) http.Handler {
		return document(http.StatusOK, executedResult(command, r))
	})
}

func (a *api) executeNagios(q *request) http.Handler {
	return a.run(q, func(command string, r check.Result) http.Handler {
		return document(http.StatusOK, executed[string, string]{
			command, r.State.String(), []line[string]{{message(r), perfText(r.Perf)}},
		})
	})
}

func (a *api) legacyQuery(q *request) http.Handler {
	return a.run(q, func(command string, r check.Result) http.Handler {
		return document(http.StatusOK, legacyResult(command, r))
	})
}
