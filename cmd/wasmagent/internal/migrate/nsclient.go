package migrate

import (
	"crypto/x509"
	"net"
	"path/filepath"
	"strings"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
)

// The sections of an nsclient.ini that more than one thing is read from.
const (
	common    = "/settings/default"
	nrpe      = "/settings/NRPE/server"
	web       = "/settings/WEB/server"
	promServe = "/settings/Prometheus/server"
)

// mapNSClient maps an nsclient.ini.
func (m *mapping) mapNSClient() {
	loaded := m.loaded()
	for _, l := range []struct{ module, table, section, port string }{
		{"nrpeserver", "nrpe", nrpe, "5666"},
		{"webserver", "rest", web, "8443"},
		{"prometheusserver", "prometheus", promServe, "9665"},
	} {
		if !loaded[l.module] {
			m.drop(l.section)
			continue
		}
		m.listener(l.table, l.section, l.port)
	}
	m.users(loaded["webserver"])
	m.unused(loaded)
	m.counters()
	m.externalScripts()
	m.aliases()
	m.schedules()
	m.answered()
	m.logLevel()
}

// unused drops what modules are told that are not loaded.
func (m *mapping) unused(loaded map[string]bool) {
	for module, section := range map[string]string{
		"checkexternalscripts": "/settings/external scripts",
		"scheduler":            "/settings/scheduler",
		"nscaclient":           "/settings/NSCA/client",
		"nrpeclient":           "/settings/NRPE/client",
		"nscaserver":           "/settings/NSCA/server",
		"nsclientserver":       "/settings/NSClient/server",
		"checkeventlog":        "/settings/eventlog",
		"checklogfile":         "/settings/logfile",
		"luascript":            "/settings/lua",
		"pythonscript":         "/settings/python",
	} {
		if !loaded[module] && !(module == "checkexternalscripts" && loaded["checkalias"]) {
			m.drop(section)
		}
	}
}

// moduleAdvice says what to do about modules that this agent does not have, by
// their folded names.
var moduleAdvice = map[string]string{
	"checkeventlog":         "there is no check of the event log; run one as a script",
	"checklogfile":          "there is no check of log files; run one as a script",
	"checknet":              "checks of ping, TCP, DNS and HTTP are WebAssembly modules: see examples/wasm-checks, and install one with `wasmagent install`",
	"checknscp":             "nothing to do: the agent tells how it fares at /metrics",
	"checkwmi":              "there are no queries of WMI; run one as a PowerShell script",
	"checktasksched":        "there is no check of tasks; run one as a PowerShell script",
	"nscaclient":            "the agent sends no results in this version; let the server ask, or read [events]",
	"nrdpclient":            "the agent sends no results in this version; let the server ask, or read [events]",
	"nsclientserver":        "check_nt is not part of this version; ask with check_nrpe",
	"nscaserver":            "NSCA is not part of this version",
	"luascript":             "Lua scripts do not run; write them anew, see docs/modules.md",
	"pythonscript":          "put the scripts into a module, as plugins that print their result; see docs/modules.md",
	"nodeexporterserver":    "let Prometheus scrape node_exporter itself",
	"windowsexporterserver": "let Prometheus scrape windows_exporter itself",
	"graphiteclient":        "metrics are read at /metrics, or pushed by [otlp]",
	"collectdclient":        "metrics are read at /metrics, or pushed by [otlp]",
	"elasticclient":         "metrics are read at /metrics, or pushed by [otlp]; events are in [events]",
	"webadminserver":        "nothing to do: [rest] has the administrative requests, for users whose role grants them",
}

// loaded maps [/modules], and returns the folded names of those that are loaded.
func (m *mapping) loaded() map[string]bool {
	loaded := map[string]bool{}
	builtins := map[string]string{
		"checksystem": config.CheckSystem, "checksystemunix": config.CheckSystem, "checkdisk": config.CheckSystem, "checkhelpers": config.CheckHelpers,
	}
	for _, e := range m.in("/modules") {
		e.taken = true
		name := e.key
		if v := strings.ToLower(e.value); v != "" && !e.yes(false) && v != "disabled" && v != "0" && v != "false" && v != "no" {
			name = e.value // ALIAS = MODULE
		} else if !e.yes(false) {
			continue
		}
		loaded[fold(name)] = true
		switch builtin := builtins[fold(name)]; {
		case builtin != "":
			m.enable(builtin)
		case strings.HasSuffix(fold(name), ".zip"):
			m.zip(e, name)
		case moduleAdvice[fold(name)] != "":
			m.remark(e, "%s", moduleAdvice[fold(name)])
		case !served[fold(name)]:
			m.remark(e, "there is no such module here")
		}
	}
	return loaded
}

// served are the folded names of the modules of NSClient++ that are no modules
// here, but tables of config.toml.
var served = map[string]bool{
	"nrpeserver": true, "webserver": true, "prometheusserver": true, "checkexternalscripts": true, "checkalias": true, "scheduler": true,
}

// enable loads a built-in module, once.
func (m *mapping) enable(builtin string) {
	if m.enabled[builtin] {
		return
	}
	m.enabled[builtin] = true
	m.config.set("modules", builtin, "true")
	for _, command := range m.builtin(builtin) {
		m.commands[fold(command)] = "built into " + builtin
	}
}

// zip maps a zip module, which has to be there.
func (m *mapping) zip(e *entry, name string) {
	path := filepath.Join(filepath.Dir(e.file), "modules", localPath(name))
	if _, err := m.read(path); err != nil {
		m.remark(e, "there is no %s here; put it into the modules directory and say %s = true in [modules]", path, config.Key(name))
		return
	}
	m.config.setText("modules."+config.Key(name[:len(name)-len(".zip")]), "path", path)
}

// listener maps one server.
func (m *mapping) listener(header, section, preset string) {
	port := m.value("port", section)
	number := preset
	if port.value != "" {
		number = m.port(port, 0)
	}
	address := net.JoinHostPort(m.bind(m.value("bind to", section, common)), number)
	if m.listening[address] {
		m.remark(port, "%s is taken by another listener; this one has the port %s", address, preset)
		address = net.JoinHostPort("", preset)
	}
	m.listening[address] = true
	m.config.set(header, "listen", list([]string{address}))
	tls := m.value("use ssl", section).yes(true)
	if !tls {
		m.config.set(header, "tls", "false")
	}
	if hosts := m.value("allowed hosts", section, common); hosts.value != "" {
		m.allowedHosts(header, hosts)
	}
	if m.value("allow arguments", section).yes(false) && header == "nrpe" {
		m.config.set(header, "allow_arguments", "true")
	}
	if insecure := m.value("insecure", section); insecure.yes(false) {
		m.remark(insecure, "the agent has a certificate; check_nrpe 2.15 and older, which know none, cannot connect, unless both sides do without TLS: tls = false, and check_nrpe -n")
	}
	m.certificate(m.value("certificate", section, common), m.value("certificate key", section, common))
	m.clients(header, tls, m.value("verify mode", section, common), m.value("ca", section, common), m.value("client certificates", section, common))
}

// certificate maps the certificate of a listener, which is that of all here.
func (m *mapping) certificate(certificate, key *entry) {
	if m.certified {
		return
	}
	c, k := *certificate, *key
	for _, e := range []*entry{&c, &k} {
		if e.value != "" {
			e.value = m.beside(e.value)
		}
	}
	m.certified = c.value != "" && k.value != ""
	m.certificates(&c, &k)
}

// beside is a path that is relative to the file that was read.
func (m *mapping) beside(path string) string {
	path = localPath(path)
	if strings.Contains(path, ":") {
		return path // with a drive, for another system
	}
	return beside(m.from, path)
}

// clients maps whether clients need a certificate.
func (m *mapping) clients(header string, tls bool, mode, authority, certificates *entry) {
	want := strings.Contains(mode.value, "peer-cert") || strings.Contains(mode.value, "fail-if-no-cert")
	switch {
	case certificates.value != "":
		m.remark(certificates, "clients are known by who signed their certificates: set client_ca of [%s]", header)
	case !want && mode.value != "" && mode.value != "none":
		m.remark(mode, "clients are asked for a certificate or not asked at all: set client_ca of [%s] to want one of every client", header)
	case want && tls && m.authority(header, authority):
	case want:
		m.remark(mode, "every client had to have a certificate, and there is no file ca here that vouches for them: set client_ca of [%s]", header)
	}
}

// authority sets the file of authorities, if it holds any: one that is wrong would
// keep config.toml from being read.
func (m *mapping) authority(header string, e *entry) bool {
	name := m.beside(e.value)
	content, err := m.read(name)
	if err != nil || !x509.NewCertPool().AppendCertsFromPEM(content) {
		return false
	}
	m.config.setText(header, "client_ca", name)
	return true
}

// users says how passwords and roles get here.
func (m *mapping) users(served bool) {
	for _, section := range []string{web, common} {
		for _, e := range m.in(section) {
			if fold(e.key) == "password" && e.value != "" && served {
				m.remark(e, "passwords are not taken over; run: wasmagent user add admin --role full")
			}
			e.taken = e.taken || fold(e.key) == "password"
		}
	}
	for _, e := range m.in(web + "/roles") {
		switch fold(e.key) {
		case "full", "client", "monitoring", "legacy":
			m.remark(e, "nothing to do: the role is built in")
		default:
			m.remark(e, "write the role into users.toml, as [roles.%s] with the requests that it allows; see docs/access.md", config.Key(e.key))
		}
	}
	for _, name := range m.below(web + "/users") {
		section := web + "/users/" + name
		role := m.value("role", section).value
		for _, e := range m.in(section) {
			if fold(e.key) == "password" {
				m.remark(e, "passwords are not taken over; run: wasmagent user add %s --role %s", name, or(role, "client"))
			}
		}
	}
}

func or(value, preset string) string {
	if value == "" {
		return preset
	}
	return value
}

// logLevel maps what is logged.
func (m *mapping) logLevel() {
	e := m.value("level", "/settings/log")
	switch strings.ToLower(e.value) {
	case "debug", "trace":
		m.config.setText("log", "level", "debug")
	case "warning", "warn":
		m.config.setText("log", "level", "warn")
	case "error", "critical", "off":
		m.config.setText("log", "level", "error")
	}
}
