//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/audit"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/listen/rest"
	"github.com/wasmagent/wasmagent/trust"
)

const modules = "/api/v2/modules/"

// TestAdministration changes what is loaded by the REST API, and reads what the audit
// log says of it.
func TestAdministration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "config.toml")
	module(t, filepath.Join(dir, "m"), `{"name": "The module", "version": "1.2", "scripts": ["a.wasm"], "permissions": ["/host/os"]}`, answering("m", 0))
	write(t, file, "# mine\n"+serving("[modules]\nm = { path = \"m\", env = { TOKEN = \"hunter2\" } }\noff = { enabled = false, path = \"off\" }\nCheckHelpers = false\n"))
	s := serve(t, dir)
	c := s.ready(t)
	c.wantRest(t, "GET", modules+"m", nil, 200, `"title":"The module"`, `"version":"1.2"`, `"state":"restricted"`, `"uncovered":["/host/os"]`, `"loaded":true`)
	c.wantRest(t, "GET", "/api/v2/modules?all=true", nil, 200, `"name":"off"`, `"state":"unloaded"`, `"name":"CheckSystem"`)
	c.wantRest(t, "GET", "/api/v2/scripts/wasm/a", nil, 200, "\x00asm")
	c.wantRest(t, "GET", "/api/v2/settings/modules/m", nil, 200, `"value":"***"`)
	if _, text, _ := c.rest(t.Context(), "GET", "/api/v2/settings", nil); strings.Contains(text, "hunter2") {
		t.Errorf("the settings tell a secret: %s", text)
	}

	// What is loaded and unloaded so is as config.toml says after the next reload.
	c.wantRest(t, "GET", modules+"CheckHelpers/commands/load", nil, 200)
	c.wantNRPE(t, "check_ok", 0, "OK")
	c.wantRest(t, "GET", modules+"m/commands/unload", nil, 200)
	c.wantNRPE(t, "a", 3, "")
	c.wantRest(t, "GET", modules+"m/commands/unload", nil, 404)
	c.wantRest(t, "GET", modules+"gone/commands/load", nil, 404)
	c.wantRest(t, "POST", "/api/v2/reload", nil, 200)
	c.wantNRPE(t, "a", 0, "m")
	c.wantNRPE(t, "check_ok", 3, "")

	// What is enabled and disabled stays so.
	c.wantRest(t, "GET", modules+"CheckHelpers/commands/enable", nil, 200)
	c.wantRest(t, "GET", modules+"m/commands/disable", nil, 200)
	c.wantRest(t, "GET", modules+"off/commands/enable", nil, 404)
	c.wantRest(t, "GET", modules+"gone/commands/disable", nil, 404)
	c.wantNRPE(t, "check_ok", 0, "OK")
	c.wantNRPE(t, "a", 3, "")
	after, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !after.Modules["CheckHelpers"].Enabled || after.Modules["m"].Enabled || !strings.Contains(string(text), "# mine\n") {
		t.Errorf("config.toml says\n%s", text)
	}
	c.wantRest(t, "GET", "/api/v2/logs?per_page=500", nil, 200, "module is unloaded")
	got := told(t, dir)
	want := []string{
		"load CheckHelpers true", "unload m true", "unload m false", "load gone false", "reload  true",
		"enable CheckHelpers true", "disable m true", "enable off false", "disable gone false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the audit log tells of %q, want %q", got, want)
	}
}

// told lists what the audit log says that the first user has told the agent.
func told(t *testing.T, dir string) (list []string) {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line audit.Line
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line.Event == audit.Told && line.User != "" {
			list = append(list, fmt.Sprint(line.Action, " ", line.Module, " ", *line.Done))
			if line.User != "admin" || line.By != "password" || line.Peer != "127.0.0.1" || *line.Done == (line.Why != "") {
				t.Errorf("the line is %+v", line)
			}
		}
	}
	return list
}

// TestUpload sends zips of every kind.
func TestUpload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "config.toml")
	write(t, file, serving("limits.archive = \"64KiB\"\n[modules]\npinned = { enabled = false, sha256 = \""+strings.Repeat("0", 64)+"\" }\nCheckHelpers = true\n"))
	s := serve(t, dir)
	c := s.ready(t)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		module string
		zip    []byte
		status int
		want   string
	}{
		{"no zip", "m", []byte("no zip"), 400, "m.zip"},
		{"half of one", "m", zipped(t, versioned(1), answering("x", 0))[:100], 400, "m.zip"},
		{"too large", "m", make([]byte, 65<<10), 413, "larger"},
		{"no program", "m", zipped(t, versioned(1), []byte("text")), 400, "m.zip: script a.wasm"},
		{"another's command", "m", zipped(t, `{"name": "m", "scripts": [{"script": "a.wasm", "alias": "check_ok"}]}`, answering("x", 0)), 409, "check_ok"},
		{"what is missing", "m", zipped(t, `{"name": "m", "modules": ["gone"]}`, nil), 409, "gone"},
		{"a built-in name", "checkhelpers", zipped(t, versioned(1), nil), 409, "built in"},
		{"not the pinned one", "pinned", zipped(t, versioned(1), nil), 403, "is not trusted"},
	} {
		c.wantRest(t, "POST", modules+row.module, row.zip, row.status, row.want)
		after, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: config.toml says\n%s, %v", row.name, after, err)
		}
		if left := versions(t, dir); len(left) > 0 {
			t.Errorf("%s: it leaves %q", row.name, left)
		}
	}
	c.wantNRPE(t, "a", 3, "")
	for i := range 3 {
		c.wantRest(t, "POST", modules+"m.zip", zipped(t, versioned(i), answering(fmt.Sprint("version ", i), 0)), 200, "Success")
		c.wantNRPE(t, "a", 0, fmt.Sprint("version ", i))
		c.wantRest(t, "GET", modules+"m", nil, 200, fmt.Sprintf(`"version":"%d"`, i), `"enabled":true`)
		if left := versions(t, dir); len(left) != 1 {
			t.Errorf("there are the versions %q", left)
		}
	}
	s.signal(t, syscall.SIGTERM)
	s.await(t, "msg=stopped")
	again := serve(t, dir)
	c.ports = again.ready(t).ports
	c.wantNRPE(t, "a", 0, "version 2")
}

// versions lists the directories of modules that were installed.
func versions(t *testing.T, dir string) (list []string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "modules", "installed", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestUploadSigned uploads where a signature is required: without one, with that of
// another module, and with the right one.
func TestUploadSigned(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret, err := trust.NewSecret()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "config.toml"), serving(fmt.Sprintf("[trust]\nrequire = \"signature\"\nkeys = [{ key = %q, name = \"ops\" }]\n", secret.Public().Line())))
	c := serve(t, dir).ready(t)
	zip := zipped(t, versioned(1), answering("signed", 0))
	c.wantRest(t, "POST", modules+"m", zip, 403, "module m is not trusted", "none came along", rest.SignatureHeader)
	c.signature = secret.Sign(zip, "other", "1", time.Now())
	c.wantRest(t, "POST", modules+"m", zip, 403, "module m is not trusted", "named m")
	if left := versions(t, dir); len(left) > 0 {
		t.Errorf("it leaves %q", left)
	}
	c.signature = secret.Sign(zip, "m", "1", time.Now())
	c.wantRest(t, "POST", modules+"m", zip, 200, "Success upload m")
	c.wantRest(t, "GET", modules+"m", nil, 200, `"signer":"ops (key `, `"digest":"`+string(trust.DigestOf(zip))+`"`, `"state":"loaded"`)
	c.wantNRPE(t, "a", 0, "signed")
}

// TestKilledUnderLoad kills the agent while modules are uploaded, enabled and disabled
// under requests. What starts then is whole.
func TestKilledUnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config.toml"), serving("modules.CheckHelpers = true\n"))
	password := ""
	for round := range 4 {
		s := serve(t, dir)
		c := s.ready(t)
		if password == "" {
			password = c.password
		}
		c.password = password
		c.wantNRPE(t, "check_ok", 0, "OK")
		c.wantRest(t, "POST", modules+"m", zipped(t, versioned(round), answering(fmt.Sprint("round ", round), 0)), 200)
		c.wantNRPE(t, "a", 0, fmt.Sprint("round ", round))
		if left := versions(t, dir); len(left) != 1 {
			t.Errorf("round %d: there are the versions %q", round, left)
		}
		c.killed(t, s, round)
	}
}

// killed changes the agent from many sides, and kills it when each has done so once.
func (c *client) killed(t *testing.T, s *served, round int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var changers, once sync.WaitGroup
	change := func(do func(i int) error) {
		once.Add(1)
		changers.Go(func() {
			done := sync.OnceFunc(once.Done)
			defer done()
			for i := 0; ctx.Err() == nil; i++ {
				if err := do(i); err != nil {
					return // it is killed
				}
				done()
			}
		})
	}
	change(func(i int) error {
		_, _, err := c.rest(ctx, "POST", modules+"m", bytes.NewReader(zipped(t, versioned(i), answering(fmt.Sprint("upload ", i), 0))))
		return err
	})
	change(func(i int) error {
		_, _, err := c.rest(ctx, "GET", modules+"m/commands/"+[]string{"disable", "enable"}[i%2], nil)
		return err
	})
	change(func(int) error { _, _, err := c.nrpe(ctx, "check_ok"); return err })
	change(func(int) error { _, _, err := c.rest(ctx, "POST", "/api/v2/reload", nil); return err })
	once.Wait()
	s.signal(t, syscall.SIGKILL)
	changers.Wait()
	if err := s.cmd.Wait(); err == nil {
		t.Errorf("round %d: the agent was not killed", round)
	}
}

// TestScriptsDoNotReachTheAgent has a script connect to the agent's own listener and
// to another one on the same address, with a grant of all connections; then with one
// that names the address.
func TestScriptsDoNotReachTheAgent(t *testing.T) {
	t.Parallel()
	here := external(t).String()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config.toml"), strings.Replace(serving("modules.CheckHelpers = true\n"), "127.0.0.1:0", here+":0", 1))
	s := serve(t, dir)
	c := s.ready(t)
	own, other := portOf(t, c.ports["nrpe"]), portOf(t, listener(t, here))
	for _, row := range []struct {
		grant      string
		port       string
		status     int
		permission string
	}{
		{"/dev/tcp/**", own, 2, "/dev/tcp/**"},
		{"/dev/tcp/**", other, 0, "/dev/tcp/**"},
		{"/dev/tcp/" + here + "/*", own, 0, "/dev/tcp/**"},
	} {
		name := "/dev/tcp/" + here + "/" + row.port
		module(t, filepath.Join(dir, "m"), `{"name": "m", "scripts": ["a.wasm"], "permissions": ["`+row.permission+`"]}`, opening(name))
		text := strings.Replace(serving("modules.m = { path = \"m\", allow = [\""+row.grant+"\"] }\n"), "127.0.0.1:0", here+":0", 1)
		write(t, filepath.Join(dir, "config.toml"), text)
		c.wantRest(t, "POST", "/api/v2/reload", nil, 200)
		_, answer, err := c.rest(t.Context(), "GET", "/api/v2/queries/a/commands/execute", nil)
		if want := fmt.Sprintf(`"result":%d`, row.status); err != nil || !strings.Contains(answer, want) {
			t.Errorf("%s with %s: %s, %v; want %s", name, row.grant, answer, err, want)
		}
	}
}
