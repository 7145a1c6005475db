package main

import (
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/policy"
)

func TestInWords(t *testing.T) {
	t.Parallel()
	mounts := config.Mounts{"log": {Path: "/var/log/nginx"}, "spool": {Path: "/var/spool/x", Writable: true}}
	for grant, want := range map[string]string{
		"/host/memory":                     "read the fact memory about the machine",
		"/host/{memory,swap}":              "read the fact memory or swap about the machine",
		"/host/**":                         "read every fact about the machine",
		"/dev/tls/*.example.com/443":       "connect with TLS to *.example.com on port 443",
		"/dev/tcp/db/{5432,5433}":          "connect to db on port 5432 or 5433",
		"/dev/{tcp,tls}/*/*":               "connect (tcp or tls) to any host on any port",
		"/dev/**":                          "connect to any host on any port",
		"/dev/udp/ntp/**":                  "send datagrams to ntp on any port",
		"/dev/tls/*/443/peer":              "read the certificates of any host on port 443",
		"/dev/tcp/*/80 in 10.0.0.0/8, ::1": "connect to any host on port 80 at 10.0.0.0/8, ::1/128",
		"/files/log/**":                    "read /var/log/nginx",
		"/files/log":                       "read /var/log/nginx",
		"/files/log/*.log":                 "read *.log in /var/log/nginx",
		"/files/spool/**":                  "read and change /var/spool/x",
		"/files/other/**":                  "read what config.toml would have as other in [files], which is nothing",
		"/files/**":                        "use all that config.toml has in [files]",
		"/state/**":                        "keep files of the module's own from run to run",
		"/command/check_load":              "run the command check_load",
		"/command/*":                       "run every command of the agent",
		"/env/TOKEN":                       "read the value TOKEN of its env in config.toml",
		"/event/check_*":                   "hear of the results of the command check_*",
		"/event/*":                         "hear of the results of every command",
		"/exec/sh":                         "run sh OUTSIDE the sandbox, with the rights of a process of the host",
	} {
		g, err := policy.ParseGrants([]string{grant})
		if err != nil {
			t.Fatal(err)
		}
		if got := grantInWords(g[0], mounts); got != want {
			t.Errorf("%s: %q, want %q", grant, got, want)
		}
	}
}
