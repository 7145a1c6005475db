package config_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/trust"
)

// file is a path that is absolute on the system of the test.
func file(t testing.TB) string {
	name, err := filepath.Abs(filepath.FromSlash("/etc/agent/config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

const whole = `
strict = true
runs = 8
user = "monitor"
users = "users.toml"

[modules]
CheckHelpers = true
CheckSystem = "disabled"
"zipped.zip" = "enabled"

[modules.web]
path = "sub/web.zip"
allow = ["/host/*", "/exec/sh"]
strict = false
sha256 = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
env = { USER = "amy", TOKEN = { file = "token" }, KEY = { env = "WEB_KEY" } }
limits = { time = "2s", memory = "8MiB" }

[modules.off]
enabled = false

[limits]
time = "5s"
open_files = 7

[files]
log = "log"
spool = { path = "/var/spool/x", writable = true, size = "1MiB", files = 9 }

[providers]
".lua" = "LuaScript"

[directories]
modules = "mods"
cache = "cache"
data = "data"
state = "state"
scratch = "scratch"
interpreters = ["bin", "sbin"]

[trust]
require = "digest"
keys = ["RWTwX7uWqzhxjGkGYty2LD9llAjuVFBsNmyDTKO3npgyS7sOkf7AkD6u"]

[audit]
path = "audit.log"
size = "1MiB"
keep = 3

[log]
level = "debug"

[tls]
certificate = "agent.pem"
key = "agent.key"

[listen]
connections = 10
requests = 5
peer_connections = 4
peer_requests = 3
peer_rate = 2
request_time = "5s"
idle_time = "1m"
write_time = "10s"

[nrpe]
listen = [":5666", "[::1]:0"]
tls = false
allowed_hosts = ["10.0.0.0/8", "nagios.example.com"]
allow_arguments = true
commands = ["check_*"]

[rest]
listen = ["127.0.0.1:8443"]

[prometheus]
listen = ["localhost:9665"]
anonymous = true

[otlp]
endpoint = "https://collector.example.com:4318/v1/metrics"
headers = { Authorization = { file = "otlp.txt" }, X-Tenant = "a" }
interval = "30s"

[schedule."Disk C:"]
command = 'check_drivesize drive=C: "warn=free < 10%"'
interval = "1m"
splay = "10s"
time = "5s"
retry_interval = "15s"
max_check_attempts = 3

[schedule.nightly]
command = "check_ok"
cron = "0 3 * * *"

[events]
path = "events.json"
size = "2MiB"
keep = 7
`

// Two public keys.
const (
	key      = "RWTwX7uWqzhxjGkGYty2LD9llAjuVFBsNmyDTKO3npgyS7sOkf7AkD6u"
	otherKey = "RWT+okN98XRIyMhjwFmidfHDlymftE5NWpnkIhnNAM14abG49FhB+4uD"
)

// parsed is a public key with a name, for modules.
func parsed(t testing.TB, text, name string, modules ...string) trust.Key {
	t.Helper()
	k, err := trust.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	k.Name, k.Modules = name, modules
	return k
}

func TestParse(t *testing.T) {
	t.Parallel()
	name := file(t)
	dir := filepath.Dir(name)
	limits := policy.Limits{Time: 5 * time.Second, OpenFiles: 7}
	spool, err := filepath.Abs("/var/spool/x")
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		File:   name,
		Strict: true,
		Runs:   8,
		Limits: limits,
		Modules: config.Modules{
			"CheckHelpers": {Enabled: true, Strict: true, Limits: limits},
			"CheckSystem":  {Strict: true, Limits: limits},
			"zipped":       {Enabled: true, Strict: true, Limits: limits},
			"off":          {Strict: true, Limits: limits},
			"web": {
				Enabled: true,
				Path:    filepath.Join(dir, "sub", "web.zip"),
				Allow:   policy.Grants{{Pattern: "/host/*"}, {Pattern: "/exec/sh"}},
				Pin:     trust.DigestOf(nil),
				Env:     config.Values{"USER": {Text: "amy"}, "TOKEN": {File: filepath.Join(dir, "token")}, "KEY": {Env: "WEB_KEY"}},
				Limits:  policy.Limits{Time: 2 * time.Second, Memory: 8 * policy.MiB, OpenFiles: 7},
			},
		},
		Files: config.Mounts{
			"log":   {Path: filepath.Join(dir, "log")},
			"spool": {Path: spool, Writable: true, Size: policy.MiB, Files: 9},
		},
		Providers: map[string]string{".lua": "LuaScript"},
		Directories: config.Directories{
			Modules:      filepath.Join(dir, "mods"),
			Cache:        filepath.Join(dir, "cache"),
			Data:         filepath.Join(dir, "data"),
			State:        filepath.Join(dir, "state"),
			Scratch:      filepath.Join(dir, "scratch"),
			Interpreters: []string{filepath.Join(dir, "bin"), filepath.Join(dir, "sbin")},
		},
		Trust: trust.Policy{Require: trust.Pin, Keys: []trust.Key{parsed(t, key, "")}},
		Audit: config.Audit{Path: filepath.Join(dir, "audit.log"), Size: policy.MiB, Keep: 3},
		Log:   config.Log{Level: slog.LevelDebug},
		User:  "monitor",
		Users: filepath.Join(dir, "users.toml"),
		TLS:   config.TLS{Certificate: filepath.Join(dir, "agent.pem"), Key: filepath.Join(dir, "agent.key")},
		Listen: config.Bounds{
			Connections:     10,
			Requests:        5,
			PeerConnections: 4,
			PeerRequests:    3,
			PeerRate:        2,
			RequestTime:     5 * time.Second,
			IdleTime:        time.Minute,
			WriteTime:       10 * time.Second,
		},
		NRPE: config.NRPE{
			Listener: config.Listener{
				Addresses:    config.Addresses{":5666", "[::1]:0"},
				AllowedHosts: config.Hosts{"10.0.0.0/8", "nagios.example.com"},
			},
			AllowArguments: true,
			Commands:       access.Commands{"check_*"},
		},
		REST: config.REST{
			Listener: config.Listener{Addresses: config.Addresses{"127.0.0.1:8443"}, TLS: true, AllowedHosts: config.Hosts{"127.0.0.1", "::1"}},
		},
		Prometheus: config.Prometheus{
			Listener:  config.Listener{Addresses: config.Addresses{"localhost:9665"}, TLS: true, AllowedHosts: config.Hosts{"127.0.0.1", "::1"}},
			Anonymous: true,
		},
		OTLP: config.OTLP{
			Endpoint: "https://collector.example.com:4318/v1/metrics",
			Headers:  config.Values{"Authorization": {File: filepath.Join(dir, "otlp.txt")}, "X-Tenant": {Text: "a"}},
			Interval: 30 * time.Second,
		},
		Schedule: config.Schedule{
			"Disk C:": {
				Command:       config.CommandLine{"check_drivesize", "drive=C:", "warn=free < 10%"},
				Interval:      time.Minute,
				Splay:         10 * time.Second,
				Time:          5 * time.Second,
				RetryInterval: 15 * time.Second,
				MaxAttempts:   3,
			},
			"nightly": {Command: config.CommandLine{"check_ok"}, Cron: "0 3 * * *"},
		},
		Events: config.Events{Path: filepath.Join(dir, "events.json"), Size: 2 * policy.MiB, Keep: 7},
	}
	got, err := config.Parse(name, whole)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Parse:\n got %+v\nwant %+v", got, want)
	}
}

var pin = string(trust.DigestOf(nil))

var mistakes = []struct {
	name string
	text string
	want []string // one error a line, FILE left out
}{
	{"empty", "", nil},
	{"comment", "# nothing\n", nil},
	{"syntax", "strict = true\nruns = \n", []string{"2: expected value but found"}},
	{"duplicate", "strict = true\nstrict = true\n", []string{"2: Key 'strict' has already been defined"}},
	{"unknown", "colour = 1\n", []string{"1: colour: unknown key; known here: aliases, audit, ca, directories, events, files, "}},
	{"near", "\nstrikt = true\n", []string{`2: strikt: unknown key; did you mean "strict"?`}},
	{"case", "Strict = true\n", []string{`1: Strict: unknown key; did you mean "strict"?`}},
	{"below a table", "[limits]\n\nmemroy = \"1MiB\"\n", []string{`3: limits.memroy: unknown key; did you mean "memory"?`}},
	{"unknown table", "strict = true\n[limit]\ntime = \"1s\"\n", []string{`2: limit: unknown key; did you mean "limits"?`}},
	{"unknown dotted", "\nlog.colour.on = true\n", []string{"2: log.colour: unknown key; known here: level"}},
	{"boolean", "strict = 1\n", []string{"1: strict: want true or false, not 1"}},
	{"number", "runs = \"many\"\n", []string{`1: runs: want a whole number, not the text "many"`}},
	{"negative", "[limits]\nruns = -1\n", []string{"2: limits.runs: want a whole number from 0 to 2147483647, not -1"}},
	{"float", "runs = 1.5\n", []string{"1: runs: want a whole number, not 1.5"}},
	{"time", "[limits]\ntime = \"10\"\n", []string{`2: limits.time: want a time such as "10s" or "500ms", not "10"`}},
	{"time as a number", "[limits]\ntime = 10\n", []string{`2: limits.time: want a time such as "10s" or "500ms", not 10`}},
	{"negative time", "[limits]\ntime = \"-1s\"\n", []string{`2: limits.time: want a time`}},
	{"size", "[limits]\nmemory = \"lots\"\n", []string{`2: limits.memory: want a size in B, KB, MB, GB, KiB, MiB or GiB, such as "64MiB", not "lots"`}},
	{"unit", "[limits]\nstack = \"1TiB\"\n", []string{`2: limits.stack: want a size in B, KB, MB, GB, KiB, MiB or GiB`}},
	{"level", "[log]\nlevel = \"INFO\"\n", []string{`2: log.level: want "debug", "info", "warn" or "error", not "INFO"`}},
	{"table", "limits = 3\n", []string{"1: limits: want a table, not 3"}},
	{"date", "strict = 2020-01-01\n", []string{"1: strict: want true or false, not a date or a time"}},
	{"modules", "modules = []\n", []string{"1: modules: want a table, not a list"}},
	{"module", "[modules]\na = 1\n", []string{`2: modules.a: want true, "enabled", false, "disabled" or a table, not 1`}},
	{"module text", "[modules]\na = \"yes\"\n", []string{`2: modules.a: want true, "enabled", false, "disabled" or a table, not the text "yes"`}},
	{"module key", "[modules]\na = { pth = \"x\" }\n", []string{`2: modules.a.pth: unknown key; did you mean "path"?`}},
	{"dotted zip", "[modules]\nmy.zip = \"enabled\"\n", []string{`2: modules.my.zip: unknown key; a name with a dot needs quotes: write "my.zip" = "enabled", or my = "enabled"`}},
	{"same module", "[modules]\nWeb = true\n\"web.zip\" = true\n", []string{`3: modules."web.zip": is the same module as "Web"; keep one of them`}},
	{"patterns", "[modules.a]\nallow = [\n  \"host\",\n  \"/nothing/x\",\n  3,\n]\n", []string{
		"2: modules.a.allow: want a pattern in quotes, not 3",
		`2: modules.a.allow: pattern "host": does not begin with "/"`,
		`2: modules.a.allow: pattern "/nothing/x": names nothing that can be granted`,
	}},
	{"patterns as a text", "[modules.a]\nallow = \"/host/*\"\n", []string{`2: modules.a.allow: want a list of patterns such as ["/host/*"], not the text "/host/*"`}},
	{"blank in a name", "[modules]\n\"a b\" = true\n", []string{`2: modules."a b": module name "a b": is not a name: 1 to 128 characters`}},
	{"path as a name", "[modules]\n\"../a\" = true\n", []string{`2: modules."../a": module name "../a": is not a name`}},
	{"no name", "[modules]\n\"\" = false\n", []string{`2: modules."": module name "": is not a name`}},
	{"another's path", "[modules.web]\npath = \"sub/web-2.zip\"\n", []string{`2: modules.web.path: that is module "web-2"; call the entry so, or rename the file`}},
	{"path ignores case", "[modules.Web]\npath = \"sub/WEB.ZIP\"\n", nil},
	{"path of the directory", "[modules.agent]\npath = \".\"\n", nil},
	{"built in with a path", "[modules.CheckSystem]\npath = \"CheckSystem.zip\"\n", []string{`2: modules.CheckSystem.path: CheckSystem is built in, and has no key but enabled`}},
	{"built in and disabled", "[modules]\nCheckSystem = { enabled = false }\n", nil},
	{"built in with a grant", "[modules]\nchecksystem = { allow = [\"/host/*\"] }\n", []string{`2: modules.checksystem.allow: CheckSystem is built in`}},
	{"interpreters", "[directories]\ninterpreters = \"/usr/bin\"\n", []string{`2: directories.interpreters: want a list of directories such as ["/usr/bin"], not the text "/usr/bin"`}},
	{"interpreter", "[directories]\ninterpreters = [\"/usr/bin\", 1]\n", []string{`2: directories.interpreters: want a directory in quotes, not 1`}},
	{"provider", "[providers]\n\".lua\" = 1\n", []string{`2: providers.".lua": want a text in quotes, not 1`}},
	{"require", "[trust]\nrequire = \"signed\"\n", []string{`2: trust.require: want "none", "digest" or "signature", not "signed"`}},
	{"require without keys", "\n[trust]\nrequire = \"signature\"\n", []string{`2: trust: require is "signature" and there are no keys`}},
	{"empty list of keys", "[trust]\nrequire = \"signature\"\nkeys = []\n", []string{`1: trust: require is "signature" and there are no keys`}},
	{"keys", "[trust]\nkeys = [\"" + key + "\", {key = \"" + otherKey + "\", name = \"ops\", modules = [\"web-*\"]}]\n", nil},
	{"tables of keys", "[[trust.keys]]\nkey = \"" + key + "\"\n[[trust.keys]]\nkey = \"" + otherKey + "\"\n", nil},
	{"no list of keys", "[trust]\nkeys = \"" + key + "\"\n", []string{`2: trust.keys: want a list of keys such as ["RWQ..."], not the text`}},
	{"a key that is none", "[trust]\nkeys = [\"ops\", 3]\n", []string{
		`2: trust.keys: the key "ops" is no minisign public key, or is cut off; want the line of 56 characters that begins with RW, or the name of a .pub file`,
		`2: trust.keys: want a key in quotes or a table such as { key = "RWQ...", name = "ops" }, not 3`,
	}},
	{"a key file that is missing", "[trust]\nkeys = [\"gone.pub\"]\n", []string{"2: trust.keys: open "}},
	{"a key twice", "[trust]\nkeys = [\"" + key + "\", {key = \"" + key + "\"}]\n", []string{"1: trust: key 2: has the ID 8C7138AB96BB5FF0 of key 1"}},
	{"a key for nothing", "[trust]\nkeys = [{key = \"" + key + "\", modules = []}]\n", []string{"1: trust: key 1: modules is empty"}},
	{"a key without a key", "[trust]\nkeys = [{name = \"ops\"}]\n", []string{`2: trust.keys: the key "" is no minisign public key`}},
	{"unknown key of a key", "[trust]\nkeys = [{key = \"" + key + "\", module = [\"a\"]}]\n", []string{`2: trust.keys.module: unknown key; did you mean "modules"?`}},
	{"modules of a key", "[trust]\nkeys = [{key = \"" + key + "\", modules = \"a\"}, {key = \"" + otherKey + "\", modules = [1]}]\n", []string{
		`2: trust.keys.modules: want a list of patterns such as ["web-*"], not the text "a"`,
		`2: trust.keys.modules: want a pattern in quotes, not 1`,
	}},
	{"pin", "[modules.a]\nsha256 = \"12\"\n", []string{`2: modules.a.sha256: want the 64 hex digits of a SHA-256, not "12"`}},
	{"no pin", "[modules.a]\nsha256 = \"\"\n", []string{`2: modules.a.sha256: want the 64 hex digits of a SHA-256, not ""`}},
	{"pin of another name", "[modules.a]\npath = \"b.zip\"\nsha256 = \"" + pin + "\"\n", []string{`2: modules.a.path: that is module "b"`}},
	{"pin of another case", "[modules.a]\npath = \"x/A.ZIP\"\nsha256 = \"" + pin + "\"\n", nil},
	{"files", "[files]\nlog = 3\n\"a/b\" = \"x\"\nspool = { writable = true }\ntmp = { path = \"/tmp\", size = \"1MiB\" }\n", []string{
		`2: files.log: want a text in quotes or a table`,
		`3: files."a/b": want a name of up to 64 letters`,
		"4: files.spool: names no directory or file; add path",
		"5: files.tmp: size and files bound what scripts write, and this is not writable",
	}},
	{"env", "[modules.a.env]\nA = 12345\nB = { file = \"x\", env = \"Y\" }\nC = { value = \"x\" }\n\"*\" = \"secret\"\n", []string{
		`2: modules.a.env.A: want a text in quotes or a table`,
		`3: modules.a.env.B: want either file or env`,
		`4: modules.a.env.C.value: unknown key`,
		`5: modules.a.env."*": want a name of up to 64 letters`,
	}},
	{"ca", "ca = 3\n[modules.a]\nca = \"gone.pem\"\n", []string{"1: ca: want the name of a file of certificates", "3: modules.a.ca: open "}},
	{"address", "[nrpe]\nlisten = [\"5666\", \"a b:5666\", \"*:5666\", \":nrpe\", \":65536\", 1, \":5666\"]\n", []string{
		"2: nrpe.listen: want an address such as \":5666\" in quotes, not 1",
		`2: nrpe.listen: "5666" is no address (missing port in address); want HOST:PORT`,
		`2: nrpe.listen: "a b:5666" is no address (there is no host "a b")`,
		`2: nrpe.listen: "*:5666" is no address (there is no host "*")`,
		`2: nrpe.listen: ":nrpe" is no address (there is no port "nrpe")`,
		`2: nrpe.listen: ":65536" is no address (there is no port "65536")`,
	}},
	{"addresses as a text", "[rest]\nlisten = \":8443\"\n", []string{`2: rest.listen: want a list of addresses such as [":5666"], not the text ":8443"`}},
	{"no address", "[rest]\nlisten = []\n", nil},
	{"an address twice", "[nrpe]\nlisten = [\":1\", \":0\", \":0\"]\n[rest]\nlisten = [\":1\"]\n", []string{`4: rest.listen: ":1" is taken by [nrpe] already`}},
	{"certificate without a key", "[tls]\ncertificate = \"a.pem\"\n", []string{"1: tls: certificate and key belong together; set both or none"}},
	{"hosts", "[nrpe]\nallowed_hosts = [\"10.0.0.0/8\", \"1.2.3\", \"a b\", 1]\ncommands = [\"[\"]\n", []string{
		"2: nrpe.allowed_hosts: want an address, a range or a name in quotes, not 1",
		`2: nrpe.allowed_hosts: `,
		`2: nrpe.allowed_hosts: `,
		`3: nrpe.commands: "[" is no pattern`,
	}},
	{"nobody may connect", "[nrpe]\nallowed_hosts = []\n", []string{"2: nrpe.allowed_hosts: lets nobody connect"}},
	{"key of another listener", "[rest]\nallow_arguments = true\n", []string{"2: rest.allow_arguments: unknown key; known here: allowed_hosts, client_ca, listen, tls"}},
	{"client_ca without tls", "[nrpe]\ntls = false\nclient_ca = \"gone.pem\"\n", []string{"3: nrpe.client_ca: open "}},
	{"endpoint", "[otlp]\nendpoint = \"collector:4318\"\n", []string{`2: otlp.endpoint: want a URL such as "https://collector.example.com:4318/v1/metrics", not "collector:4318"`}},
	{"check", "[schedule]\na = 1\nb = {}\nc = { command = \"x\" }\nd = { command = \"x\", interval = \"1m\", cron = \"* * * * *\" }\ne = { command = 'a \"b', interval = \"1m\" }\n\"\" = { command = \"x\", interval = \"1m\" }\n", []string{
		"2: schedule.a: want a table, not 1",
		`3: schedule.b: check "b": has no command; say which command it runs`,
		`3: schedule.b: check "b": has neither interval nor cron; say when it runs`,
		`4: schedule.c: check "c": has neither interval nor cron`,
		`5: schedule.d: check "d": has both interval and cron; keep one`,
		"6: schedule.e.command: command line `a \"b`: the quote at column 3 is not closed",
		`7: schedule."": check "": the name must have 1 to 128 characters`,
	}},
	{"all at once", "runs = true\nx = 1\n[modules.a]\nstrict = 1\n[limits]\nentries = \"\"\n", []string{
		"1: runs: ", "2: x: ", "4: modules.a.strict: ", "6: limits.entries: ",
	}},
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, test := range mistakes {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Parse(file(t), test.text)
			if err == nil {
				if test.want != nil {
					t.Fatalf("no error, want %q", test.want)
				}
				return
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(test.want) {
				t.Fatalf("errors:\n%v\nwant %d", err, len(test.want))
			}
			for i, line := range lines {
				if want := file(t) + ":" + test.want[i]; !strings.HasPrefix(line, want) {
					t.Errorf("error %q, want one that begins with %q", line, want)
				}
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(whole)
	for _, test := range mistakes {
		f.Add(test.text)
	}
	name := file(f)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := config.Parse(name, text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), name+":") {
				t.Errorf("error %q has no position", err)
			}
			return
		}
		for key, m := range c.Modules {
			if m.Path != "" && !filepath.IsAbs(m.Path) {
				t.Errorf("module %q: path %q is relative", key, m.Path)
			}
			if _, err := policy.ParseGrants(m.Allow.Strings()); err != nil {
				t.Errorf("module %q: %v", key, err)
			}
		}
	})
}

func TestModule(t *testing.T) {
	t.Parallel()
	c, err := config.Parse(file(t), whole)
	if err != nil {
		t.Fatal(err)
	}
	if m, named := c.Module("WEB"); !named || len(m.Allow) != 2 {
		t.Errorf("Module(WEB) = %+v, %v", m, named)
	}
	if m, named := c.Module("other"); named || len(m.Allow) != 0 || m.Limits.Time != 5*time.Second || !m.Strict {
		t.Errorf("Module(other) = %+v, %v; want the common limits and no grant", m, named)
	}
}

func TestEmptyDirectory(t *testing.T) {
	t.Parallel()
	c, err := config.Parse(file(t), "directories.modules = \"\"\n")
	if want := filepath.Join(filepath.Dir(file(t)), "modules"); err != nil || c.Directories.Modules != want {
		t.Errorf("modules directory %q, %v; want %q", c.Directories.Modules, err, want)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "config.toml")
	if _, err := config.Load(name); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("Load of a missing file: %v", err)
	}
	write(t, name, "strict = true\n")
	if c, err := config.Load(name); err != nil || !c.Strict || c.File != name {
		t.Errorf("Load = %+v, %v", c, err)
	}
	write(t, name, strings.Repeat("#", config.MaxFile+1))
	if _, err := config.Load(name); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("Load of a large file: %v", err)
	}
}

// TestKeyFiles reads keys from files, whose names are relative to the directory
// of config.toml.
func TestKeyFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "config.toml")
	write(t, name, "[trust]\nkeys = [{key = \"ops.pub\", name = \"ops\", modules = [\"web-*\"]}]\n")
	write(t, filepath.Join(dir, "ops.pub"), string(parsed(t, key, "").File()))
	c, err := config.Load(name)
	if want := []trust.Key{parsed(t, key, "ops", "web-*")}; err != nil || !reflect.DeepEqual(c.Trust.Keys, want) {
		t.Errorf("the keys are %v, %v; want %v", c.Trust.Keys, err, want)
	}
	for _, row := range []struct{ text, want string }{
		{"", "ops.pub: is no minisign public key"},
		{strings.Repeat("x", trust.MaxKey+1), "larger than 2048 bytes; this is no minisign public key"},
	} {
		write(t, filepath.Join(dir, "ops.pub"), row.text)
		if _, err := config.Load(name); err == nil || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), name+":2: trust.keys: ") {
			t.Errorf("error %v, want one with %q", err, row.want)
		}
	}
}

func TestLoadNothing(t *testing.T) {
	t.Parallel()
	c, err := config.Load("")
	if err != nil || c.File != "" || len(c.Modules) != 0 {
		t.Errorf("Load = %+v, %v", c, err)
	}
	if want := filepath.Join(filepath.Dir(config.System()), "modules"); c.Directories.Modules != want {
		t.Errorf("modules directory %q, want %q", c.Directories.Modules, want)
	}
}

// TestFind changes the working directory and the environment.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv(config.Variable, "")
	find := func(named, want string) {
		t.Helper()
		if got, err := config.Find(named); err != nil || got != want {
			t.Errorf("Find(%q) = %q, %v; want %q", named, got, err, want)
		}
	}
	if _, err := os.Stat(config.System()); err != nil {
		find("", "")
	}
	write(t, filepath.Join(dir, "config.toml"), "")
	find("", "config.toml")
	find("x.toml", "x.toml")
	t.Setenv(config.Variable, "y.toml")
	find("", "y.toml")
	find("x.toml", "x.toml")
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestShipped reads the file at the root of the project: it must hold every
// key, written out or commented out.
func TestShipped(t *testing.T) {
	t.Parallel()
	name := filepath.Join("..", "..", "..", "..", "config.toml")
	c, err := config.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	example, named := c.Module("wasm-checks")
	if !named || !example.Enabled || len(example.Allow) == 0 {
		t.Errorf("the example module is not granted anything: %+v", example)
	}
	if !c.Modules["CheckHelpers"].Enabled || c.Modules["CheckSystem"].Enabled {
		t.Error("want CheckHelpers enabled and CheckSystem not")
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys(reflect.TypeFor[config.Config]()) {
		if !strings.Contains(string(text), key+" =") && !strings.Contains(string(text), "["+key+"]") {
			t.Errorf("the key %s is not documented", key)
		}
	}
}

// keys lists the toml keys of a struct and of the structs in it.
func keys(typ reflect.Type) []string {
	var list []string
	for field := range typ.Fields() {
		if key := field.Tag.Get("toml"); key != "-" && !field.Anonymous {
			list = append(list, key)
		}
		switch elem := field.Type; {
		case elem.Kind() == reflect.Struct:
			list = append(list, keys(elem)...)
		case elem == reflect.TypeFor[config.Modules]():
			list = append(list, keys(elem.Elem())...)
		}
	}
	return list
}

// TestShippedDefaults uncomments every key of the shipped file: each must be
// right, and the limits the defaults.
func TestShippedDefaults(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	commented := regexp.MustCompile(`(?m)^#(["\w.]+ = )`)
	c, err := config.Parse(file(t), commented.ReplaceAllString(string(text), "$1"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Limits != policy.Defaults {
		t.Errorf("the commented limits are\n%+v, want the defaults\n%+v", c.Limits, policy.Defaults)
	}
}
