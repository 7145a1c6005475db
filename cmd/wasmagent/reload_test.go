//go:build unix

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestReloadsUnderLoad changes the configuration a hundred times under clients of two
// protocols: a module is replaced, another one comes and goes, and so do a listener, a
// check and an alias. Not one request may fail.
func TestReloadsUnderLoad(t *testing.T) {
	t.Parallel()
	const reloads, clients = 100, 3
	dir := t.TempDir()
	for i := range 2 {
		module(t, filepath.Join(dir, fmt.Sprint(i), "m"), versioned(i), answering(fmt.Sprint("version ", i), 0))
	}
	module(t, filepath.Join(dir, "other"), `{"name": "o", "scripts": [{"script": "a.wasm", "alias": "b"}]}`, answering("other", 0))
	configure := func(i int) {
		text := fmt.Sprintf("listen.peer_rate = 1000000\nmodules.m.path = \"%d/m\"\nmodules.CheckHelpers = true\n", i%2)
		if i%2 == 1 {
			text += "modules.other.path = \"other\"\naliases.hello = \"check_ok hello\"\nschedule.x = { command = \"a\", interval = \"1s\" }\nprometheus.listen = [\"127.0.0.1:0\"]\n"
		}
		user := ""
		if os.Geteuid() == 0 {
			user = "user = \"root\"\n"
		}
		write(t, filepath.Join(dir, "draft"), user+text+serving(""))
		if err := os.Rename(filepath.Join(dir, "draft"), filepath.Join(dir, "config.toml")); err != nil {
			t.Fatal(err)
		}
	}
	configure(0)
	s := serve(t, dir)
	c := s.ready(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var answered atomic.Int64
	var askers sync.WaitGroup
	ask := func(protocol string, once func() (status int, text string, err error)) {
		askers.Go(func() {
			for ctx.Err() == nil {
				status, text, err := once()
				if err != nil || status != 0 && status != 200 || !strings.Contains(text, "version ") {
					t.Errorf("%s: %d %q, %v", protocol, status, text, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	for range clients {
		ask("NRPE", func() (int, string, error) { return c.nrpe(t.Context(), "a") })
		ask("REST", func() (int, string, error) {
			return c.rest(t.Context(), "GET", "/api/v2/queries/a/commands/execute", nil)
		})
	}
	for i := range reloads {
		configure(i + 1)
		s.signal(t, syscall.SIGHUP)
		s.await(t, "msg=reloaded by=SIGHUP")
	}
	stop()
	askers.Wait()
	if answered.Load() < 2*clients {
		t.Errorf("only %d requests were answered", answered.Load())
	}
	t.Logf("%d requests were answered", answered.Load())
	log := strings.Join(s.all, "\n")
	if strings.Contains(log, "level=ERROR") || strings.Contains(log, `any more" protocol=nrpe`) || strings.Contains(log, `any more" protocol=rest`) {
		t.Errorf("the log:\n%s", log)
	}
}

// TestBadReloadChangesNothing has much that is right and something that is wrong, in
// every way in which something can be.
func TestBadReloadChangesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	module(t, filepath.Join(dir, "0", "m"), versioned(0), answering("version 0", 0))
	module(t, filepath.Join(dir, "1", "m"), versioned(1), answering("version 1", 0))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	config := filepath.Join(dir, "config.toml")
	write(t, config, serving("modules.m.path = \"0/m\"\nprometheus.listen = [\"127.0.0.1:0\"]\n"))
	s := serve(t, dir)
	c := s.ready(t)
	users := filepath.Join(dir, "data", "users.toml")
	good, err := os.ReadFile(users)
	if err != nil {
		t.Fatal(err)
	}
	fresh := "modules.m.path = \"1/m\"\nmodules.CheckHelpers = true\n"
	for _, row := range []struct{ name, config, users, want string }{
		{"a key", fresh + "colour = 1\n", "", "colour: unknown key"},
		{"a module", fresh + "modules.gone = true\n", "", "module gone: there is no gone.zip"},
		{"a clash", fresh + "aliases.a = \"check_ok\"\n", "", "command a: "},
		{"an address", fresh + "prometheus.listen = [\"127.0.0.1:0\", \"" + taken.Addr().String() + "\"]\n", "", "prometheus cannot listen on " + taken.Addr().String()},
		{"a certificate", fresh + "tls = { certificate = \"no.pem\", key = \"no.key\" }\n", "", "no.key"},
		{"an authority", fresh + "rest.client_ca = \"no.pem\"\n", "", "no.pem"},
		{"a check", fresh + "schedule.x = { command = \"a\", cron = \"99 * * * *\" }\n", "", "cron"},
		{"a secret", fresh + "otlp = { endpoint = \"http://127.0.0.1:1\", headers = { A = { file = \"no.txt\" } } }\n", "", "otlp.headers: A: "},
		{"users", fresh, "[users.bob]\nroles = [\"nothing\"]\n", "users.toml:2: "},
		{"no users", fresh, "gone", "users.toml: no such file"},
	} {
		text := serving(row.config)
		if row.name == "an authority" {
			text = strings.Replace(serving(""), "[rest]\n", "[rest]\nclient_ca = \"no.pem\"\n", 1)
		}
		write(t, config, text)
		if row.users == "gone" {
			err = os.Remove(users)
		} else if row.users != "" {
			err = os.WriteFile(users, []byte(row.users), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		c.wantRest(t, "POST", "/api/v2/reload", nil, 409, row.want)
		s.await(t, "by=rest") // taken or not
		if line := s.all[len(s.all)-1]; !strings.Contains(line, `level=ERROR msg="not reloaded, and all stays as it was" by=rest error=`) || !strings.Contains(line, row.want) {
			t.Errorf("%s: the log says %s", row.name, line)
		}
		c.wantNRPE(t, "a", 0, "version 0")
		c.wantNRPE(t, "check_ok", 3, `no command "check_ok" is loaded`)
		c.wantRest(t, "GET", "/api/v2/metrics", nil, 200, `"wasmagent_config_last_reload_successful":0`)
	}
	write(t, users, string(good))
	write(t, config, serving(fresh))
	c.wantRest(t, "POST", "/api/v2/reload", nil, 200)
	c.wantNRPE(t, "a", 0, "version 1")
	c.wantNRPE(t, "check_ok", 0, "OK")
	c.wantRest(t, "GET", "/api/v2/metrics", nil, 200, `"wasmagent_config_last_reload_successful":1`)
}

// TestReloadTakesEveryTable changes what no other test does: aliases, the log, the file
// of events, the schedule and who may connect.
func TestReloadTakesEveryTable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.toml")
	write(t, config, serving("modules.CheckHelpers = true\naliases.hello = \"check_ok one\"\nevents.path = \"1.log\"\n"))
	s := serve(t, dir)
	c := s.ready(t)
	c.wantNRPE(t, "hello", 0, "one")
	c.wantRest(t, "GET", "/api/v2/aliases", nil, 200, `"name":"hello"`)
	write(t, config, strings.Replace(serving("modules.CheckHelpers = true\naliases.hello = \"check_ok two\"\naliases.bye = \"check_critical\"\nevents.path = \"2.log\"\nlog.level = \"debug\"\n"+
		"schedule.x = { command = \"check_ok scheduled\", interval = \"1s\" }\n"), "[rest]\n", "[rest]\nallowed_hosts = [\"192.0.2.1\"]\n", 1))
	c.wantRest(t, "POST", "/api/v2/reload", nil, 200)
	c.wantNRPE(t, "hello", 0, "two")
	c.wantNRPE(t, "bye", 2, "")
	s.await(t, "level=DEBUG msg=ran")
	s.await(t, "scheduled")
	if status, text, err := c.rest(t.Context(), "GET", "/api/v2/modules", nil); err == nil && status != 403 {
		t.Errorf("who may not connect is answered %d %s", status, text)
	}
	s.signal(t, syscall.SIGTERM)
	s.await(t, "msg=stopped")
	for file, want := range map[string]string{"1.log": `"text":"OK: one"`, "2.log": `"text":"OK: scheduled"`} {
		if text, err := os.ReadFile(filepath.Join(dir, file)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s holds %s, %v; want %s", file, text, err, want)
		}
	}
}

// TestFilesAreReadAgain changes files, and nobody says a word.
func TestFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	module(t, filepath.Join(dir, "m"), versioned(0), answering("version 0", 0))
	config := filepath.Join(dir, "config.toml")
	write(t, config, serving("runs = 3\nmodules.m.path = \"m\"\n"))
	s := serve(t, dir)
	c := s.ready(t)
	write(t, filepath.Join(dir, "m", "a.wasm"), string(answering("version 1", 0)))
	s.await(t, "msg=reloaded by=files")
	c.wantNRPE(t, "a", 0, "version 1")

	write(t, filepath.Join(dir, "data", "users.toml"), "[users.bob]\nroles = [\"full\"]\n")
	s.await(t, "msg=reloaded by=files")
	c.wantRest(t, "GET", "/api/v2/modules", nil, 401)

	write(t, filepath.Join(dir, "new"), "user = \"root\"\nruns = 4\nmodules.CheckHelpers = true\n[nrpe]\nlisten = [\"127.0.0.1:0\"]\n[directories]\ndata = \"data\"\n")
	if err := os.Rename(filepath.Join(dir, "new"), config); err != nil {
		t.Fatal(err)
	}
	s.await(t, `level=WARN msg="what these keys of config.toml say takes effect at the next start"`)
	if line := s.all[len(s.all)-1]; !strings.Contains(line, "runs") || !strings.Contains(line, "audit") {
		t.Errorf("the log says %s", line)
	}
	s.await(t, "msg=reloaded by=files")
	c.wantNRPE(t, "check_ok", 0, "OK")
	s.await(t, `msg="not listening any more" protocol=rest`)
}
