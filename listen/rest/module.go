package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
)

// A Module is a builtin module or a zip, loaded or not.
type Module struct {
	// Name is by what it is asked for: the file's name without ".zip".
	Name string
	// Title, Description and Version are its own words. Title is Name by default.
	Title, Description, Version string
	// Digest is the SHA-256 of the zip in hex, and Signer who signed it; empty of a
	// builtin module, or without a signature.
	Digest, Signer string
	// State is "loaded", "restricted", "degraded", "degraded, restricted" or
	// "unloaded".
	State                    string
	Builtin, Loaded, Enabled bool
	// Asked are the permissions that it asks for, Granted what it was granted, and
	// Uncovered those of Asked that no grant covers whole.
	Asked, Granted, Uncovered []string
	// Failed are its on_start lines that failed, with the reasons.
	Failed []string
	// Problem is why it could not be loaded.
	Problem string
	// Commands are the names of its commands; Requires and RequiredBy name modules.
	Commands, Requires, RequiredBy []string
}

func (a *api) moduleRoutes() []route {
	routes := []route{
		{verb: "GET", pattern: "/api/{version}/modules", answer: a.listModules},
		{verb: "GET", pattern: "/api/{version}/modules/{module}", answer: a.module},
		{verb: "PUT", pattern: "/api/{version}/modules/{module}", kind: changes, answer: a.setLoaded},
		{verb: "POST", pattern: "/api/{version}/modules/{module}", kind: changes, body: a.UploadSize, answer: a.upload},
	}
	for command, do := range map[string]func(context.Context, string) error{
		"load": a.Load, "unload": a.Unload, "enable": a.Enable, "disable": a.Disable,
	} {
		routes = append(routes, route{
			verb: "GET", pattern: "/api/{version}/modules/{module}/commands/" + command, kind: changes,
			answer: func(q *request) http.Handler { return a.command(q, command, do) },
		})
	}
	return routes
}

// moduleJSON is one module: in a list it has module_url, by itself enable_url and
// disable_url. What follows description is this agent's own.
type moduleJSON struct {
	Name        string            `json:"name"`
	ID          string            `json:"id"`
	Title       string            `json:"title"`
	Loaded      bool              `json:"loaded"`
	Enabled     bool              `json:"enabled"`
	ModuleURL   string            `json:"module_url,omitempty"`
	Metadata    map[string]string `json:"metadata"`
	Description string            `json:"description"`
	LoadURL     string            `json:"load_url"`
	UnloadURL   string            `json:"unload_url"`
	EnableURL   string            `json:"enable_url,omitempty"`
	DisableURL  string            `json:"disable_url,omitempty"`
	Version     string            `json:"version"`
	Digest      string            `json:"digest"`
	Signer      string            `json:"signer"`
	Builtin     bool              `json:"builtin"`
	State       string            `json:"state"`
	Problem     string            `json:"problem"`
	Failed      []string          `json:"failed"`
	Commands    []string          `json:"commands"`
	Requires    []string          `json:"requires"`
	RequiredBy  []string          `json:"required_by"`
	Permissions permissionsJSON   `json:"permissions"`
}

type permissionsJSON struct {
	Asked     []string `json:"asked"`
	Granted   []string `json:"granted"`
	Uncovered []string `json:"uncovered"`
}

func (q *request) moduleJSON(m Module) moduleJSON {
	url := func(command string) string { return q.url("modules", m.Name, "commands", command) }
	return moduleJSON{
		Name: m.Name, ID: m.Name, Title: cmp.Or(m.Title, m.Name), Loaded: m.Loaded, Enabled: m.Enabled,
		Metadata: map[string]string{"plugin_id": m.Name, "alias": ""}, Description: m.Description,
		LoadURL: url("load"), UnloadURL: url("unload"), EnableURL: url("enable"), DisableURL: url("disable"),
		Version: m.Version, Digest: m.Digest, Signer: m.Signer, Builtin: m.Builtin, State: m.State, Problem: m.Problem,
		Failed: list(m.Failed), Commands: list(m.Commands), Requires: list(m.Requires), RequiredBy: list(m.RequiredBy),
		Permissions: permissionsJSON{list(m.Asked), list(m.Granted), list(m.Uncovered)},
	}
}

// list is a list that JSON does not write as null.
func list(texts []string) []string { return append([]string{}, texts...) }

func (a *api) listModules(q *request) http.Handler {
	modules := []moduleJSON{}
	for _, m := range a.Modules(q.URL.Query().Get("all") == "true") {
		j := q.moduleJSON(m)
		j.ModuleURL, j.EnableURL, j.DisableURL = q.url("modules", m.Name), "", ""
		modules = append(modules, j)
	}
	return document(http.StatusOK, modules)
}

func (a *api) module(q *request) http.Handler {
	m, ok := a.findModule(q.vars["module"])
	if !ok {
		return problem(http.StatusNotFound, "there is no module %q; see %s?all=true", q.vars["module"], q.url("modules"))
	}
	return document(http.StatusOK, q.moduleJSON(m))
}

// findModule finds a module by its name, as people spell it: in any case, and
// with or without ".zip".
func (a *api) findModule(name string) (m Module, ok bool) {
	for _, m := range a.Modules(true) {
		if strings.EqualFold(m.Name, name) || strings.EqualFold(m.Name+".zip", name) {
			return m, true
		}
	}
	return Module{}, false
}

// command does to a module what the last segment of the path says.
func (a *api) command(q *request, command string, do func(context.Context, string) error) http.Handler {
	m, ok := a.findModule(q.vars["module"])
	if !ok {
		m.Name = q.vars["module"]
	}
	err := do(q.Context(), m.Name)
	a.audit(q, Action{Name: command, Module: m.Name, Digest: m.Digest, Err: err})
	return q.outcome(command+" "+m.Name, err)
}

// outcome answers what came of a change: in version 1 as text.
func (q *request) outcome(what string, err error) http.Handler {
	status, message := http.StatusOK, "Success "+what
	if err != nil {
		status, message = statusOf(err), fmt.Sprintf("Failed to %s: %v", what, err)
	}
	if q.v1() {
		return text(status, message)
	}
	return document(status, outcomeJSON{resultOf(err), message})
}

type outcomeJSON struct {
	Result  int    `json:"result"`
	Message string `json:"message"`
}

// resultOf is the plugin state that NSClient++ has for it: OK or CRITICAL.
func resultOf(err error) int {
	if err != nil {
		return 2
	}
	return 0
}

func statusOf(err error) int {
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		return refusal.Status
	case errors.Is(err, fs.ErrNotExist):
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}

// setLoaded loads or unloads a module so that it is as the body, {"loaded": bool},
// says.
func (a *api) setLoaded(q *request) http.Handler {
	var body struct {
		Loaded *bool `json:"loaded"`
	}
	if refusal := q.decode(&body); refusal != nil {
		return refusal
	}
	m, ok := a.findModule(q.vars["module"])
	switch {
	case body.Loaded == nil:
		return problem(http.StatusBadRequest, `the body lacks "loaded"; send {"loaded": true} or {"loaded": false}`)
	case ok && m.Loaded == *body.Loaded:
		return text(http.StatusOK, "No change")
	case *body.Loaded:
		return a.command(q, "load", a.Load)
	}
	return a.command(q, "unload", a.Unload)
}

// decode reads the JSON of a body. curl says that what it sends is a form unless
// it is told otherwise.
func (q *request) decode(v any) (refusal http.Handler) {
	if refusal := q.wants("application/json", "application/x-www-form-urlencoded"); refusal != nil {
		return refusal
	}
	d := json.NewDecoder(q.Body)
	err := d.Decode(v)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return problem(http.StatusRequestEntityTooLarge, "the body is longer than %d bytes", large.Limit)
	case err != nil:
		return problem(http.StatusBadRequest, "the body is not the JSON that is wanted here: %v", err)
	}
	return nil
}
