package rest

import (
	"net/http"
	"strings"
	"unicode/utf8"
)

// A Script is one script of a loaded module.
type Script struct {
	// Module is the name of its module, and File its path in the zip.
	Module, File string
	// Alias is the command that runs it.
	Alias string
	// Provider is what runs it: "WasmScript", "CheckExternalScripts" or
	// "PythonScript".
	Provider string
	// Content reads it.
	Content func() ([]byte, error)
}

// path is how a script is asked for by its file.
func (s Script) path() string { return s.Module + "/" + s.File }

func (a *api) scriptRoutes() []route {
	return []route{
		{verb: "GET", pattern: "/api/{version}/scripts", answer: a.listRuntimes},
		{verb: "GET", pattern: "/api/{version}/scripts/{runtime}", answer: a.listScripts},
		{verb: "GET", pattern: "/api/{version}/scripts/{runtime}/{script...}", answer: a.script},
	}
}

// runtimes are the providers of scripts by the names that clients use.
var runtimes = [...]struct{ name, module, title string }{
	{"ext", "CheckExternalScripts", "Scripts that run as processes of the host"},
	{"py", "PythonScript", "Python scripts that run as processes of the host"},
	{"wasm", "WasmScript", "WebAssembly programs that run in the sandbox"},
}

func (a *api) listRuntimes(q *request) http.Handler {
	list := []map[string]string{}
	for _, r := range runtimes {
		list = append(list, map[string]string{"name": r.name, "module": r.module, "title": r.title, "runtime_url": q.url("scripts", r.name)})
	}
	return document(http.StatusOK, list)
}

// scriptsOf are the scripts of a runtime, by either of its names.
func (a *api) scriptsOf(name string) (scripts []Script, ok bool) {
	for _, r := range runtimes {
		if name != r.name && name != r.module {
			continue
		}
		for _, s := range a.Scripts() {
			if s.Provider == r.module {
				scripts = append(scripts, s)
			}
		}
		return scripts, true
	}
	return nil, false
}

// listScripts lists the commands or, if all is true, the files.
func (a *api) listScripts(q *request) http.Handler {
	scripts, ok := a.scriptsOf(q.vars["runtime"])
	if !ok {
		return problem(http.StatusNotFound, "there is no runtime %q; see %s", q.vars["runtime"], q.url("scripts"))
	}
	list := []string{}
	for _, s := range scripts {
		if q.URL.Query().Get("all") == "true" {
			list = append(list, s.path())
		} else {
			list = append(list, s.Alias)
		}
	}
	return document(http.StatusOK, list)
}

// script answers with a script's text. It is asked for by its command, or by its
// module and file with slashes or backslashes.
func (a *api) script(q *request) http.Handler {
	scripts, _ := a.scriptsOf(q.vars["runtime"])
	name := q.vars["script"]
	for _, s := range scripts {
		if strings.EqualFold(s.Alias, name) || s.path() == strings.ReplaceAll(name, `\`, "/") {
			return content(s)
		}
	}
	return problem(http.StatusNotFound, "there is no script %q; see %s?all=true", name, q.url("scripts", q.vars["runtime"]))
}

func content(s Script) http.Handler {
	b, err := s.Content()
	if err != nil {
		return problem(statusOf(err), "script %s: %v", s.path(), err)
	}
	contentType := typeText
	if !utf8.Valid(b) {
		contentType = "application/octet-stream"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, contentType, b) })
}
