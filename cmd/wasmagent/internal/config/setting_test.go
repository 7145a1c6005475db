package config_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	c, err := config.Parse(file(t), `
runs = 7
[modules.web]
allow = ["/host/*", "/exec/sh"]
env = { TOKEN = "hunter2" }
[nrpe]
listen = [":5666", ":5667"]
[otlp]
headers = { Authorization = "hunter2" }
[schedule.disk]
command = "check_disk --password hunter2"
interval = "1m"
[trust]
keys = ["`+key+`"]
`)
	if err != nil {
		t.Fatal(err)
	}
	list := c.Settings()
	for _, want := range []config.Setting{
		{Table: "/", Key: "runs", Value: "7"},
		{Table: "/modules/web", Key: "enabled", Value: "true"},
		{Table: "/modules/web", Key: "allow", Value: "/host/*, /exec/sh"},
		{Table: "/modules/web/env", Key: "TOKEN", Secret: true},
		{Table: "/nrpe", Key: "listen", Value: ":5666, :5667"},
		{Table: "/nrpe", Key: "tls", Value: "true"},
		{Table: "/nrpe", Key: "allowed_hosts", Value: "127.0.0.1, ::1"},
		{Table: "/otlp/headers", Key: "Authorization", Secret: true},
		{Table: "/schedule/disk", Key: "command", Secret: true},
		{Table: "/schedule/disk", Key: "interval", Value: "1m0s"},
		{Table: "/log", Key: "level", Value: "INFO"},
	} {
		if !slices.Contains(list, want) {
			t.Errorf("there is no %+v in %+v", want, list)
		}
	}
	for _, s := range list {
		if s.Secret && s.Value != "" || s.Value == "hunter2" {
			t.Errorf("%+v tells a secret", s)
		}
	}
}

func TestKeeping(t *testing.T) {
	t.Parallel()
	parse := func(text string) config.Config {
		t.Helper()
		c, err := config.Parse(file(t), text)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	started := parse("runs = 1\nstrict = true\n[directories]\ncache = \"a\"\n")
	next, keys := parse("runs = 2\n[directories]\ncache = \"b\"\n[nrpe]\nlisten = [\":1\"]\n").Keeping(started)
	if want := []string{"directories", "runs"}; !slices.Equal(keys, want) {
		t.Errorf("kept %q, want %q", keys, want)
	}
	if next.Runs != 1 || next.Strict || len(next.NRPE.Addresses) != 1 || !reflect.DeepEqual(next.Directories, started.Directories) {
		t.Errorf("%+v", next)
	}
	if _, keys := started.Keeping(started); keys != nil {
		t.Errorf("nothing differs, and %q are kept", keys)
	}
}
