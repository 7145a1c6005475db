package migrate

import (
	"path"
	"strings"
)

// An advice says what to do about keys that this agent does not have.
type advice struct {
	// section and keys match folded names, with * for any part of them; keys
	// are separated by "|".
	section, keys string
	text          string
}

// advices are in the order in which they are looked at. "nothing to do" begins
// what is no loss.
var advices = []advice{
	// nrpe.cfg
	{"", "pid_file|log_facility|log_file|disable_syslog|debug|ssl_logging", "nothing to do: the agent logs to standard error, which the service manager keeps; see [log] and [audit]"},
	{"", "nrpe_user|nrpe_group", "the agent runs as its own user, which `user` in config.toml names; plugins that only this user could run need docs/native.md"},
	{"", "allow_bash_command_substitution|nasty_metachars", "nothing to do: no argument reaches a shell's language"},
	{"", "command_prefix", "nothing to do: it is in the scripts"},
	{"", "connection_timeout|listen_queue_size", "nothing to do: [listen] bounds connections, requests and every wait"},
	{"", "ssl_version|ssl_cipher_list|allow_weak_random_seed", "nothing to do: connections are TLS 1.2 or 1.3, with the suites that are safe"},
	{"", "ssl_use_adh", "nothing to do: the agent has a certificate; check_nrpe 2.15 and older, which know no certificates, cannot connect"},
	{"", "keep_env_vars", "scripts have PATH, LANG and TMPDIR and no other variable; set what a plugin needs in its script"},
	{"", "*", "NRPE has no such key, or has it in a later version than this was written for"},

	// Of every listener.
	{"/settings/*", "cache allowed hosts", "nothing to do: names are looked up when they are needed, and remembered for a while"},
	{"/settings/*", "socket queue size|thread pool|threads|timeout", "nothing to do: [listen] bounds connections, requests and every wait"},
	{"/settings/*", "encoding|inbox|performance data|extended response", "nothing to do: text is UTF-8, performance data is always sent, and NRPE 4 carries 64 KiB"},
	{"/settings/nrpe/server", "payload length", "NRPE 2 has 1024 bytes here: leave the option -P of check_nrpe out, and longer texts come with NRPE 4"},
	{"/settings/*", "allowed ciphers|dh|ssl options|tls version|tls min version|certificate format|debug verify", "nothing to do: connections are TLS 1.2 or 1.3, with the suites that are safe"},
	{"/settings/*", "allow nasty characters|nasty characters", "nothing to do: no argument reaches a shell's language"},
	{"/settings/*", "client identity source", "a client's certificate is that of a user of the REST API: wasmagent user add NAME --certificate"},
	{"/settings/web/server", "auth rate limit *", "nothing to do: whoever guesses is slowed down, and nobody is locked out"},
	{"/settings/web/server", "legacy query auth user agents", "nothing to do: check_nscp_api is known by its name"},
	{"/settings/*", "allow anonymous access", "every request needs a user; make one: wasmagent user add NAME --role client"},
	{"/settings/*", "disable admin user", "nothing to do: there is no user but those that you make"},
	{"/settings/web/server*", "*", "the REST API has no such setting; see docs/rest.md"},

	// What runs checks.
	{"/settings/external scripts", "kill tree", "nothing to do: what a script has started is ended with it"},
	{"/settings/external scripts*", "ignore perfdata|capture output|display|encoding|session", "it is always as by default"},
	{"/settings/external scripts*", "user|domain|password", "scripts run as the user of [native]; see docs/native.md"},
	{"/settings/external scripts*", "is template|parent|alias", "there are no templates; write out what it stood for"},
	{"/settings/external scripts/wrappings", "*", "nothing to do: a script's extension says what runs it; see [providers]"},
	{"/settings/external scripts*", "*", "there is no such setting of scripts; see docs/native.md"},
	{"/settings/scheduler", "timezone", "cron expressions are in the time of the machine"},
	{"/settings/scheduler/schedules*", "channel|target|source|report", "results are not sent to another server in this version; see [prometheus], [otlp] and [events] for where they are"},
	{"/settings/scheduler*", "*", "the scheduler has no such setting; see docs/schedule.md"},
	{"/settings/eventlog*", "*", "there is no check of the event log; run one as a script"},
	{"/settings/logfile*", "*", "there is no check of log files; run one as a script"},
	{"/settings/system/*/real-time*", "*", "checks are not run by filters; give them a [schedule]"},
	{"/settings/system/*", "*", "nothing to do: CheckSystem samples what it needs"},
	{"/settings/lua*", "*", "Lua scripts do not run; write them anew, see docs/modules.md"},
	{"/settings/python*", "*", "put the script into a module, as a plugin that prints its result; see docs/modules.md"},
	{"/settings/*/client*", "*", "the agent sends nothing to other servers in this version"},
	{"/settings/nsca*", "*", "NSCA is not part of this version"},
	{"/settings/nsclient*", "*", "check_nt is not part of this version; ask with check_nrpe"},
	{"/settings/updates*", "*", "the agent does not update itself; install another package"},
	{"/settings/log*", "*", "the agent logs to standard error, which the service manager keeps"},
	{"/settings/core|/settings/crash*", "*", "nothing to do: there is nothing like it"},
	{"/attachments|/settings/registry", "*", "the configuration is one file; say it there"},
	{"*", "*", "there is nothing like it in this version"},
}

// adviceFor is what to do about an entry that was not taken over.
func adviceFor(e *entry) string {
	for _, a := range advices {
		if matches(a.section, fold(e.section)) && matches(a.keys, fold(e.key)) && (a.section != "*" || e.section != "") {
			return a.text
		}
	}
	return ""
}

// matches tells whether a name matches one of several patterns. A * matches any
// number of characters, slashes as well.
func matches(patterns, name string) bool {
	name = strings.ReplaceAll(name, "/", "\x00")
	for pattern := range strings.SplitSeq(patterns, "|") {
		if ok, _ := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), name); ok {
			return true
		}
	}
	return false
}
