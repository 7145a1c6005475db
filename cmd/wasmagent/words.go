package main

import (
	"fmt"
	"strings"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/policy"
)

// inWords says what a path pattern lets scripts do, such as "connect to
// *.example.com on port 443". mounts are what is at /files.
func inWords(pattern string, mounts config.Mounts) string {
	segments := strings.Split(strings.TrimPrefix(pattern, "/"), "/")
	rest := append(segments[1:], "", "", "", "")
	switch name := rest[0]; segments[0] {
	case "host":
		return everyOr(name, "read every fact about the machine", "read the fact %s about the machine")
	case "dev":
		return connection(rest)
	case "files":
		return files(name, rest[1:], mounts)
	case "state":
		return "keep files of the module's own from run to run"
	case "command":
		return everyOr(name, "run every command of the agent", "run the command %s")
	case "env":
		return everyOr(name, "read every value of its env in config.toml", "read the value %s of its env in config.toml")
	case "exec":
		return everyOr(name, "run everything", "run %s") + " OUTSIDE the sandbox, with the rights of a process of the host"
	case "event":
		return everyOr(name, "hear of the results of every command", "hear of the results of the command %s")
	}
	return "open " + pattern
}

// everyOr says something of every name, or of one or some.
func everyOr(name, every, one string) string {
	if name == "*" || name == "**" || name == "" {
		return every
	}
	return fmt.Sprintf(one, choice(name))
}

// choice writes the alternatives of a segment as people do.
func choice(segment string) string {
	inner, braced := strings.CutPrefix(segment, "{")
	if inner, closed := strings.CutSuffix(inner, "}"); braced && closed && !strings.ContainsAny(inner, "{}") {
		return strings.ReplaceAll(inner, ",", " or ")
	}
	return segment
}

// verbs are what the networks below /dev are for.
var verbs = map[string]string{"tcp": "connect to", "tls": "connect with TLS to", "udp": "send datagrams to"}

// connection says what the segments behind /dev allow: NETWORK/HOST/PORT and perhaps
// "peer".
func connection(segments []string) string {
	network, host, port, peer := segments[0], segments[1], segments[2], segments[3]
	verb, known := verbs[network]
	if !known {
		verb = "connect (" + choice(network) + ") to"
	}
	if network == "*" || network == "**" {
		verb = "connect to"
	}
	if peer == "peer" {
		verb = "read the certificates of"
	}
	if network == "**" || host == "**" {
		host, port = "*", "*"
	}
	where := everyOr(host, "any host", "%s") + everyOr(port, " on any port", " on port %s")
	return verb + " " + where
}

// files says what a pattern below /files allows.
func files(name string, within []string, mounts config.Mounts) string {
	if strings.ContainsAny(name, "*?[{") || name == "" {
		return "use all that config.toml has in [files]"
	}
	m, configured := mounts[name]
	if !configured {
		return fmt.Sprintf("read what config.toml would have as %s in [files], which is nothing", name)
	}
	verb := "read"
	if m.Writable {
		verb = "read and change"
	}
	below := strings.TrimRight(strings.Join(within, "/"), "/")
	if below == "" || below == "**" {
		return verb + " " + m.Path
	}
	return fmt.Sprintf("%s %s in %s", verb, below, m.Path)
}

// grantInWords says what a grant allows.
func grantInWords(g policy.Grant, mounts config.Mounts) string {
	text := inWords(g.Pattern, mounts)
	if _, ranges, bound := strings.Cut(g.String(), " in "); bound && len(g.Ranges) > 0 {
		text += " at " + ranges
	}
	return text
}
