package rest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/listen/rest"
)

func TestModules(t *testing.T) {
	t.Parallel()
	s := newAgentry().serve(t)
	for path, names := range map[string]string{
		"/api/v1/modules": "CheckSystem web", "/api/v2/modules?all=true": "CheckSystem web off", "/api/v2/modules?all=false": "CheckSystem web",
	} {
		var list []map[string]any
		if err := json.Unmarshal([]byte(get(t, s, path, http.StatusOK).body), &list); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range list {
			got = append(got, m["name"].(string))
			if want := s.URL + strings.TrimSuffix(path, "?all=true") + "/"; !strings.HasPrefix(m["module_url"].(string)+"?", strings.TrimSuffix(want, "?all=false/")) {
				t.Errorf("%s: module_url %s", path, m["module_url"])
			}
		}
		if strings.Join(got, " ") != names {
			t.Errorf("%s: %s, want %s", path, got, names)
		}
	}
	url := s.URL + "/api/v2/modules/web/commands/"
	want := `{"name":"web","id":"web","title":"Web checks","loaded":true,"enabled":true,"metadata":{"alias":"","plugin_id":"web"},` +
		`"description":"for web services","load_url":"` + url + `load","unload_url":"` + url + `unload","enable_url":"` + url + `enable","disable_url":"` + url + `disable",` +
		`"version":"1.2.0","digest":"` + strings.Repeat("ab", 32) + `","signer":"RWQ","builtin":false,"state":"degraded, restricted","problem":"","failed":["check_x: boom"],` +
		`"commands":["check_x"],"requires":[],"required_by":[],"permissions":{"asked":["/state/**"],"granted":[],"uncovered":["/state/**"]}}` + "\n"
	for _, name := range []string{"web", "WEB", "web.zip", "w%65b/"} {
		if a := get(t, s, "/api/v2/modules/"+name, http.StatusOK); a.body != want {
			t.Errorf("%s: %s\nwant %s", name, a.body, want)
		}
	}
	get(t, s, "/api/v2/modules/none", http.StatusNotFound)
	get(t, s, "/api/v2/modules/..%2fweb", http.StatusNotFound)
}

// TestModuleCommands changes what is loaded, and wants it to be audited.
func TestModuleCommands(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		verb, path, body string
		status           int
		answer, told     string
	}{
		{"GET", "/api/v2/modules/off/commands/load", "", 200, `{"result":0,"message":"Success load off"}`, "load off <nil>"},
		{"GET", "/api/v1/modules/OFF/commands/load/", "", 200, "Success load off", "load off <nil>"},
		{"GET", "/api/v2/modules/web/commands/unload", "", 200, `{"result":0,"message":"Success unload web"}`, "unload web <nil>"},
		{"GET", "/api/v2/modules/web/commands/enable", "", 200, `{"result":0,"message":"Success enable web"}`, "enable web <nil>"},
		{"GET", "/api/v2/modules/web/commands/disable", "", 500, `{"result":2,"message":"Failed to disable web: config.toml is read-only"}`, "disable web config.toml is read-only"},
		{"GET", "/api/v1/modules/web/commands/disable", "", 500, "Failed to disable web: config.toml is read-only", "disable web config.toml is read-only"},
		{"GET", "/api/v2/modules/none/commands/load", "", 404, `{"result":2,"message":"Failed to load none: module none: file does not exist"}`, "load none module none: file does not exist"},
		{"GET", "/api/v2/modules/CheckSystem/commands/unload", "", 409, `{"result":2,"message":"Failed to unload CheckSystem: module web needs it"}`, "unload CheckSystem module web needs it"},
		{"PUT", "/api/v2/modules/off", `{"loaded":true}`, 200, `{"result":0,"message":"Success load off"}`, "load off <nil>"},
		{"PUT", "/api/v2/modules/web", `{"loaded": false, "title": "x"}`, 200, `{"result":0,"message":"Success unload web"}`, "unload web <nil>"},
		{"PUT", "/api/v1/modules/web", `{"loaded":true}`, 200, "No change", ""},
		{"PUT", "/api/v2/modules/web", `{}`, 400, `{"error":"the body lacks \"loaded\"; send {\"loaded\": true} or {\"loaded\": false}"}`, ""},
		{"PUT", "/api/v2/modules/web", `loaded`, 400, `{"error":"the body is not the JSON that is wanted here: invalid character 'l' looking for beginning of value"}`, ""},
		{"PUT", "/api/v2/modules/web", ``, 400, `{"error":"the body is not the JSON that is wanted here: EOF"}`, ""},
		{"PUT", "/api/v2/modules/web", `{"x":"` + strings.Repeat("x", rest.MaxBody) + `"}`, 413, `{"error":"the body is longer than 65536 bytes"}`, ""},
	} {
		g := newAgentry()
		s := g.serve(t)
		a := ask(t, s, "admin", row.verb, row.path, row.body)
		if a.status != row.status || strings.TrimSuffix(a.body, "\n") != row.answer {
			t.Errorf("%s %s %.20s: %d %s\nwant %d %s", row.verb, row.path, row.body, a.status, a.body, row.status, row.answer)
		}
		var told string
		for _, done := range g.told() {
			told += fmt.Sprintf("%s %s %v", done.Name, done.Module, done.Err)
			if done.User != "admin" || done.By != "token" || !done.Peer.IsLoopback() || done.Module == "web" && len(done.Digest) != 64 {
				t.Errorf("%s %s: audited as %+v", row.verb, row.path, done)
			}
		}
		if told != row.told {
			t.Errorf("%s %s: audited %q, want %q", row.verb, row.path, told, row.told)
		}
	}
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	s := newAgentry().serve(t)
	for _, row := range []struct {
		verb, contentType string
		status            int
	}{
		{"PUT", "", 200}, {"PUT", "application/json", 200}, {"PUT", "application/json; charset=utf-8", 200},
		{"PUT", "application/x-www-form-urlencoded", 200}, {"PUT", "text/xml", 415}, {"PUT", "multipart/form-data; boundary=x", 415}, {"PUT", ";", 415},
		{"POST", "", 422}, {"POST", "application/zip", 422}, {"POST", "application/octet-stream", 422}, {"POST", "application/x-zip-compressed", 422},
		{"POST", "application/x-www-form-urlencoded", 422}, {"POST", "application/json", 415}, {"POST", "multipart/form-data; boundary=x", 415},
	} {
		a := ask(t, s, "admin", row.verb, "/api/v2/modules/web", `{"loaded":true}`, "Content-Type", row.contentType)
		if a.status != row.status || (a.status == 415) != (a.header.Get("Accept") != "") {
			t.Errorf("%s of %q: %d %s, want %d", row.verb, row.contentType, a.status, a.body, row.status)
		}
	}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, body string
		status     int
		message    string
		installed  bool
	}{
		{"new", "PK rest", 200, "Success upload new", true},
		{"new.zip", "PK rest", 200, "Success upload new", true},
		{"new", "PK unsigned", 403, "Failed to upload new: new.zip is not signed", false},
		{"new", "garbage", 422, "Failed to upload new: new.zip is no zip", false},
		{"new", "", 422, "Failed to upload new: new.zip is no zip", false},
		{"new", "PK" + strings.Repeat("x", 1<<20), 413, "Failed to upload new: the zip is larger than 1048576 bytes", false},
		{"..%2F..%2Fetc%2Fx", "PK", 400, `Failed to upload ../../etc/x: module "../../etc/x": want a name of letters, digits, dots, dashes and underscores`, false},
		{".hidden", "PK", 400, `Failed to upload .hidden: module ".hidden": want a name of letters, digits, dots, dashes and underscores`, false},
		{"a%00b", "PK", 400, "Failed to upload a\x00b: module \"a\\x00b\": want a name of letters, digits, dots, dashes and underscores", false},
		{"C:x", "PK", 400, `Failed to upload C:x: module "C:x": want a name of letters, digits, dots, dashes and underscores`, false},
	} {
		g := newAgentry()
		s := g.serve(t)
		a := ask(t, s, "admin", "POST", "/api/v2/modules/"+row.name, row.body)
		var got struct {
			Result  int
			Message string
		}
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != row.status || got.Message != row.message || got.Result != min(1, row.status-200)*2 {
			t.Errorf("%s: %d %s, want %d %s", row.name, a.status, a.body, row.status, row.message)
		}
		if _, ok := g.zips["new"]; ok != row.installed {
			t.Errorf("%s: installed is %v", row.name, ok)
		}
		told := g.told()
		if len(told) != 1 || told[0].Name != "upload" || (told[0].Err == nil) != row.installed || (told[0].Digest == "") != (row.status == 400 || row.status == 413) {
			t.Errorf("%s: audited %+v", row.name, told)
		}
	}
}

// TestUploadSigned sends the signature along.
func TestUploadSigned(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	s := g.serve(t)
	for signature, status := range map[string]int{"": 403, "dW50cnVzdGVkIGNvbW1lbnQ6IHgK": 200, "dW50cnVzdGVkIGNvbW1lbnQ6IHgK!": 400, "eA==": 403} {
		a := ask(t, s, "admin", "POST", "/api/v2/modules/new", "PK unsigned", "Wasmagent-Signature", signature)
		if a.status != status {
			t.Errorf("%q: %d %s, want %d", signature, a.status, a.body, status)
		}
	}
}

// TestUploadWithoutEnd sends more than there may be, without saying how much.
func TestUploadWithoutEnd(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	told := make(chan rest.Action, 1)
	g.Audit = func(a rest.Action) { told <- a }
	s := g.serve(t)
	for _, body := range []io.Reader{
		io.MultiReader(strings.NewReader("PK"), strings.NewReader(strings.Repeat("x", 2<<20))),
		io.MultiReader(strings.NewReader("PK"), brokenReader{}),
	} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+"/api/v2/modules/new", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("TOKEN", "admin-token")
		resp, err := s.Client().Do(r)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s", resp.Status)
			}
		}
		if done := <-told; done.Err == nil || done.Digest != "" || len(g.zips) != 0 {
			t.Errorf("audited %+v, installed %d", done, len(g.zips))
		}
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("gone") }
