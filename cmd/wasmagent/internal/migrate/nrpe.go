package migrate

import (
	"net"
	"strconv"
	"strings"

	"github.com/wasmagent/wasmagent/internal/lazyregexp"
)

var nrpeCommand = lazyregexp.New(`^command\[(.*)\]$`)

// mapNRPE maps an nrpe.cfg.
func (m *mapping) mapNRPE() {
	port := m.port(m.value("server_port", ""), 5666)
	m.config.set("nrpe", "listen", list([]string{net.JoinHostPort(m.bind(m.value("server_address", "")), port)}))
	if hosts := m.take("", "allowed_hosts"); hosts != nil {
		m.allowedHosts("nrpe", hosts)
	} else if len(m.entries) > 0 {
		e := *m.entries[0]
		e.line, e.key = 1, "allowed_hosts"
		m.remark(&e, "it is not set, and NRPE answers everybody then; this agent answers this machine alone: name the monitoring servers in allowed_hosts of [nrpe]")
	}
	if m.value("dont_blame_nrpe", "").yes(false) {
		m.config.set("nrpe", "allow_arguments", "true")
	}
	m.certificates(m.value("ssl_cert_file", ""), m.value("ssl_privatekey_file", ""))
	m.nrpeClients(m.value("ssl_client_certs", ""), m.value("ssl_cacert_file", ""))
	m.nrpeCommands(m.value("command_prefix", ""))
	runs := ""
	if n, ok := m.number(m.value("max_commands", ""), 1, 1<<20); ok {
		runs = strconv.Itoa(n)
	}
	m.configure(m.value("command_timeout", ""), runs)
	if m.take("", "debug").enabled() {
		m.config.setText("log", "level", "debug")
	}
}

// enabled is yes of an entry that may not be there.
func (e *entry) enabled() bool { return e != nil && e.yes(false) }

// nrpeClients maps whether clients need a certificate.
func (m *mapping) nrpeClients(want, authority *entry) {
	switch {
	case want.value == "2" && authority.value != "":
		m.config.setText("nrpe", "client_ca", authority.value)
	case want.value == "2":
		m.remark(want, "there is no ssl_cacert_file that would vouch for clients; set client_ca of [nrpe]")
	case want.value == "1":
		m.remark(want, "clients are asked for a certificate or not asked at all: set client_ca of [nrpe] to want one of every client")
	case authority.value != "":
		m.remark(authority, "nothing to do: NRPE does not use it without ssl_client_certs")
	}
}

// nrpeCommands makes a script of each command.
func (m *mapping) nrpeCommands(prefix *entry) {
	for _, e := range m.entries {
		name := nrpeCommand().FindStringSubmatch(e.key)
		if name == nil {
			continue
		}
		line := strings.TrimSpace(prefix.value + " " + e.value)
		if e.value == "" {
			m.remark(e, "it has no command line; write one, or take it out")
			continue
		}
		if !m.claim(e, name[1]) {
			continue
		}
		m.addShell(e, name[1], shellBody(line))
		m.privileged(e, line)
	}
}

var sudo = lazyregexp.New(`(^|[\s;|&(/])(sudo|su|doas)\s`)

// privileged says what a command cannot do that wants more rights.
func (m *mapping) privileged(e *entry, line string) {
	if sudo().MatchString(line) {
		m.remark(e, "it is taken over, but a script gains no rights by sudo on Linux; give the agent's user what the plugin reads, or see \"A user of their own\" in docs/native.md")
	}
}

// certificates maps the certificate of the listeners.
func (m *mapping) certificates(certificate, key *entry) {
	switch {
	case certificate.value != "" && key.value != "":
		m.config.setText("tls", "certificate", certificate.value)
		m.config.setText("tls", "key", key.value)
	case certificate.value != "":
		m.remark(certificate, "there is no key for it; set certificate and key of [tls], or leave both out: the agent makes a certificate of its own")
	case key.value != "":
		m.remark(key, "there is no certificate for it; set certificate and key of [tls], or leave both out: the agent makes a certificate of its own")
	}
}

// port is a port as it is configured, or the preset one.
func (m *mapping) port(e *entry, preset int) string {
	if n, ok := m.number(e, 1, 1<<16-1); ok {
		return strconv.Itoa(n)
	}
	return strconv.Itoa(preset)
}

// bind is the address to listen on; empty is every one.
func (m *mapping) bind(e *entry) string {
	if e.value == "" || net.ParseIP(e.value) != nil {
		return e.value
	}
	m.remark(e, "%q is no address; put one before the port in listen", e.value)
	return ""
}

// number reads a whole number in bounds; an empty value is none. NSClient++ may
// have an "s" behind it, for seconds or for TLS. 0 stands for no limit and is
// none either.
func (m *mapping) number(e *entry, least, most int) (int, bool) {
	if e.value == "" || e.value == "0" {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSuffix(e.value, "s"))
	if err != nil || n < least || n > most {
		m.remark(e, "%q is not a whole number from %d to %d; the default holds", e.value, least, most)
		return 0, false
	}
	return n, true
}
