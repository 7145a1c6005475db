package servers_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/internal/needs"
)

// A verdict is what a server says of one service.
type verdict struct{ state, output, perf string }

// A wish is what it should say: the state, and what the other two match.
type wish struct{ state, output, perf string }

func (w wish) granted(v verdict) bool {
	return w.state == v.state && regexp.MustCompile(w.output).MatchString(v.output) && regexp.MustCompile(w.perf).MatchString(v.perf)
}

// wishes are of the services on the page, and of one in each state by both protocols.
// check_nscp_api puts the command's name before the text.
var wishes = map[string]wish{
	"uptime":         {"0", "^OK: up ", `^'?uptime'?=[0-9.]+s;1:;0:`},
	"memory":         {"0", "^(check_memory )?OK: memory ", `used=[0-9]+B;.*'used %'=[0-9.]+%;90;95;0;100`},
	"uptime by REST": {"0", "^check_uptime OK: up ", `^'?uptime'?=[0-9.]+s;1:`},
	"nrpe warning":   {"1", "^WARNING: one two$", "^$"},
	"nrpe critical":  {"2", "^CRITICAL: one two$", "^$"},
	"nrpe unknown":   {"3", "no command|not defined", "^$"},
	"rest warning":   {"1", "^check_warning WARNING: one two[ |\\s]*$", "^$"},
	"rest critical":  {"2", "^check_critical CRITICAL: one two[ |\\s]*$", "^$"},
	"rest unknown":   {"3", "no command|not defined", "^$"},
}

// inStates defines a service of Nagios in each state that is no good.
func inStates() string {
	var b strings.Builder
	for protocol, command := range map[string]string{"nrpe": "check_agent", "rest": "check_agent_rest"} {
		for _, state := range []string{"warning", "critical", "unknown"} {
			arguments := "'one two'"
			if protocol == "nrpe" {
				arguments = "one two"
			}
			fmt.Fprintf(&b, "define service {\n use generic-service\n host_name agent\n service_description %s %s\n check_command %s!check_%s!%s\n check_interval 1\n}\n",
				protocol, state, command, state, arguments)
		}
	}
	return b.String()
}

// followNagios starts Nagios with Debian's own configuration, the files of the page and
// some more services, and reads its status.
func followNagios(t *testing.T, p page, a agent) {
	t.Parallel()
	binary := needs.Program(t, "/usr/sbin/nagios4")
	needs.Program(t, "/usr/lib/nagios/plugins/check_nrpe")
	needs.Program(t, "/usr/lib/nagios/plugins/check_nscp_api")
	h := newHome(t)
	h.write(t, "conf.d/wasmagent.cfg", p.file(t, "/etc/nagios4/conf.d/wasmagent.cfg", "-p 5666", "-p "+a.ports["nrpe"]))
	h.write(t, "conf.d/wasmagent-rest.cfg", p.file(t, "/etc/nagios4/conf.d/wasmagent-rest.cfg", "-P 8443", "-P "+a.ports["rest"], "PASSWORD", "'"+password+"'"))
	h.write(t, "conf.d/states.cfg", inStates())
	config := h.write(t, "nagios.cfg", nagiosConfig(t, h))
	h.run(t, "", binary, "-v", config)
	s := h.start(t, "nagios", binary, config)
	for service, want := range wishes {
		until(t, s, func() (string, bool) {
			got, checked := nagiosStatus(h, service)
			return fmt.Sprintf("Nagios says of %s %+v (%v), want %+v", service, got, checked, want), checked && want.granted(got)
		})
	}
	until(t, s, func() (string, bool) {
		got, checked := nagiosStatus(h, "")
		return fmt.Sprintf("Nagios says of the host %+v (%v)", got, checked), checked && got.state == "0" && got.output == "OK: it answers"
	})
}

// nagiosConfig is Debian's nagios.cfg with all files in the home, and a second for
// what is a minute there.
func nagiosConfig(t *testing.T, h home) string {
	t.Helper()
	text, err := os.ReadFile("/etc/nagios4/nagios.cfg")
	if err != nil {
		needs.Missing(t, err)
	}
	results := h.directory(t, "checkresults")
	h.directory(t, "archives")
	ours := map[string]string{
		"log_file": "nagios.log", "object_cache_file": "objects.cache", "precached_object_file": "objects.precache", "status_file": "status.dat",
		"command_file": "nagios.cmd", "lock_file": "nagios.pid", "temp_file": "nagios.tmp", "log_archive_path": "archives",
		"state_retention_file": "retention.dat", "debug_file": "nagios.debug", "temp_path": "",
	}
	values := map[string]string{
		"check_result_path": results, "use_syslog": "0", "check_for_updates": "0", "interval_length": "1", "status_update_interval": "1",
		"max_service_check_spread": "1", "max_host_check_spread": "1", "check_result_reaper_frequency": "1", "enable_notifications": "0",
	}
	for key, name := range ours {
		values[key] = filepath.Join(h.dir, name)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case values[key] != "" || strings.HasSuffix(value, "localhost.cfg"):
		case value == "/etc/nagios4/conf.d":
			b.WriteString("cfg_dir=" + filepath.Join(h.dir, "conf.d") + "\n")
		default:
			b.WriteString(line)
		}
	}
	for key, value := range values {
		b.WriteString(key + "=" + value + "\n")
	}
	return b.String() + "query_socket=" + filepath.Join(h.dir, "nagios.qh") + "\n"
}

// nagiosStatus reads what Nagios says of a service of the host, or of the host itself.
func nagiosStatus(h home, service string) (v verdict, checked bool) {
	text, err := os.ReadFile(filepath.Join(h.dir, "status.dat"))
	if err != nil {
		return v, false
	}
	kind := "servicestatus {"
	if service == "" {
		kind = "hoststatus {"
	}
	for _, block := range strings.Split(string(text), "\n\n") {
		block = strings.TrimSpace(block)
		if !strings.HasPrefix(block, kind) {
			continue
		}
		values := map[string]string{}
		for line := range strings.Lines(block) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			values[key] = value
		}
		if values["host_name"] == "agent" && values["service_description"] == service {
			return verdict{values["current_state"], values["plugin_output"], values["performance_data"]}, values["has_been_checked"] == "1"
		}
	}
	return v, false
}
