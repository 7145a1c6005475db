package rest

import (
	"fmt"
	"net/http"
	"strings"
)

// A Setting is one key of the configuration.
type Setting struct {
	// Path is the table, such as "/modules/web", and Key the key in it.
	Path, Key string
	// Value is its value as text.
	Value string
	// Secret keeps the value from being told.
	Secret bool
}

func (a *api) settingRoutes() []route {
	const path = "/api/{version}/settings/{path...}"
	return []route{
		{verb: "GET", pattern: "/api/{version}/settings/status", answer: a.settingsStatus},
		{verb: "GET", pattern: "/api/{version}/settings/diff", answer: a.settingsDiff},
		{verb: "POST", pattern: "/api/{version}/settings/command", kind: changes, answer: a.settingsCommand},
		{verb: "GET", pattern: "/api/{version}/settings", answer: a.settings},
		{verb: "GET", pattern: path, answer: a.settings},
		{verb: "PUT", pattern: path, kind: changes, answer: a.refuseSetting},
		{verb: "DELETE", pattern: path, kind: changes, answer: a.refuseSetting},
	}
}

type settingJSON struct {
	Path  string `json:"path"`
	Key   string `json:"key"`
	Value string `json:"value"`
}

// settings lists the keys at and below a path; a path may also be that of a key.
func (a *api) settings(q *request) http.Handler {
	at := strings.TrimSuffix("/"+q.vars["path"], "/")
	list := []settingJSON{}
	for _, s := range a.Settings() {
		if !strings.HasPrefix(strings.TrimSuffix(s.Path, "/")+"/"+s.Key+"/", at+"/") {
			continue
		}
		if s.Secret {
			s.Value = "***"
		}
		list = append(list, settingJSON{s.Path, s.Key, s.Value})
	}
	if len(list) == 0 && at != "" {
		return problem(http.StatusNotFound, "there is no setting at or below %s", at)
	}
	return document(http.StatusOK, list)
}

// refuseSetting says where settings are changed.
func (a *api) refuseSetting(q *request) http.Handler {
	err := fmt.Errorf("settings are changed in %s on the machine, and then read by a reload", a.Source)
	a.audit(q, Action{Name: "set /" + q.vars["path"], Err: err})
	return problem(http.StatusForbidden, "%v", err)
}

func (a *api) settingsStatus(*request) http.Handler {
	return document(http.StatusOK, struct {
		Context string `json:"context"`
		Type    string `json:"type"`
		Changed bool   `json:"has_changed"`
	}{"toml://" + a.Source, "toml", false})
}

// settingsDiff says that there is nothing unsaved, as nothing can be set.
func (a *api) settingsDiff(*request) http.Handler {
	return document(http.StatusOK, map[string]any{"entries": []any{}, "count": 0})
}

// settingsCommand reads the configuration again. Saving it is nothing to do.
func (a *api) settingsCommand(q *request) http.Handler {
	var body struct {
		Command string `json:"command"`
	}
	if refusal := q.decode(&body); refusal != nil {
		return refusal
	}
	switch body.Command {
	case "save":
	case "load", "reload":
		return a.reloaded(q, "success")
	default:
		return problem(http.StatusBadRequest, "command %q: want reload, load or save", body.Command)
	}
	return document(http.StatusOK, map[string]string{"status": "success"})
}
