package rest_test

import (
	"net/http"
	"testing"
)

func TestScripts(t *testing.T) {
	t.Parallel()
	s := newAgentry().serve(t)
	for path, want := range map[string]string{
		"": `[{"module":"CheckExternalScripts","name":"ext","runtime_url":"` + s.URL + `/api/v2/scripts/ext","title":"Scripts that run as processes of the host"},` +
			`{"module":"PythonScript","name":"py","runtime_url":"` + s.URL + `/api/v2/scripts/py","title":"Python scripts that run as processes of the host"},` +
			`{"module":"WasmScript","name":"wasm","runtime_url":"` + s.URL + `/api/v2/scripts/wasm","title":"WebAssembly programs that run in the sandbox"}]` + "\n",
		"/ext":                                   "[\"check_x\"]\n",
		"/CheckExternalScripts/":                 "[\"check_x\"]\n",
		"/wasm?all=true":                         "[\"web/scripts/check_y.wasm\"]\n",
		"/ext/check_x":                           "echo OK\n",
		"/ext/web/scripts/check_x.sh":            "echo OK\n",
		`/ext/web%5Cscripts%5Ccheck_x.sh`:        "echo OK\n",
		"/ext/web%2Fscripts%2Fcheck_x.sh/?all=1": "echo OK\n",
		"/wasm/CHECK_Y":                          "\x00asm\xff",
	} {
		if a := get(t, s, "/api/v2/scripts"+path, http.StatusOK); a.body != want {
			t.Errorf("%s: %s, want %s", path, a.body, want)
		}
	}
	if a := get(t, s, "/api/v2/scripts/ext/check_x", 200); a.header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("a shell script is %s", a.header.Get("Content-Type"))
	}
	if a := get(t, s, "/api/v2/scripts/wasm/check_y", 200); a.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("a program is %s", a.header.Get("Content-Type"))
	}
	for _, path := range []string{"/lua", "/lua/x", "/ext/check_y", "/ext/web/scripts/check_y.wasm", "/py/gone"} {
		get(t, s, "/api/v2/scripts"+path, http.StatusNotFound)
	}
	for _, path := range []string{"/ext/../../etc/passwd", "/ext/web/../web/scripts/check_x.sh", "/ext/%2e%2e/x"} {
		get(t, s, "/api/v2/scripts"+path, http.StatusForbidden) // no role grants a path that is not in its shortest form
	}
}
