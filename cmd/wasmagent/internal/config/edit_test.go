package config_test

import (
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/trust"
)

var allowed = config.Allow("web", grants("/host/os", "/state/**"))

// grants are of patterns that need not be valid.
func grants(patterns ...string) (list policy.Grants) {
	for _, p := range patterns {
		list = append(list, policy.Grant{Pattern: p})
	}
	return list
}

// sourceOf is a valid source.
func sourceOf(text string) fetch.Source {
	s, err := fetch.Parse(text, "")
	if err != nil {
		panic(err)
	}
	return s
}

// edits are texts before and after one change.
var edits = []struct {
	name   string
	change config.Change
	before string
	after  string
}{
	{"no file", allowed, "", "[modules.web]\nallow = [\"/host/os\", \"/state/**\"]\n"},
	{"no entry", allowed, "# all\nstrict = true # so", "# all\nstrict = true # so\n\n[modules.web]\nallow = [\"/host/os\", \"/state/**\"]\n"},
	{"true", allowed, "[modules]\nweb = true # here\n", "[modules]\nweb = { allow = [\"/host/os\", \"/state/**\"] } # here\n"},
	{"enabled", allowed, "modules.Web = \"enabled\"", "modules.Web = { allow = [\"/host/os\", \"/state/**\"] }"},
	{"disabled", allowed, "modules.web='disabled'", "modules.web={ enabled = false, allow = [\"/host/os\", \"/state/**\"] }"},
	{"false", allowed, "modules.web = false\nruns = 1", "modules.web = { enabled = false, allow = [\"/host/os\", \"/state/**\"] }\nruns = 1"},
	{"quoted zip", allowed, "[modules]\n\"web.zip\" = true\n", "[modules]\n\"web.zip\" = { allow = [\"/host/os\", \"/state/**\"] }\n"},
	{"escaped name", allowed, "[modules.\"w\\u0065b\"]\n", "[modules.\"w\\u0065b\"]\nallow = [\"/host/os\", \"/state/**\"]\n"},
	{"braces", allowed, "modules = { web = { } }", "modules = { web = { allow = [\"/host/os\", \"/state/**\"] } }"},
	{"braces with keys", allowed, "modules = { web = { strict = true, limits = { time = \"1s\" } } }", "modules = { web = { strict = true, limits = { time = \"1s\" }, allow = [\"/host/os\", \"/state/**\"] } }"},
	{"braces with others", allowed, "modules = { x = { strict = true } }\n", "modules = { x = { strict = true }, web = { allow = [\"/host/os\", \"/state/**\"] } }\n"},
	{"braces with a dotted key", allowed, "modules = { web.path = \"web\", x = true }\n", "modules = { web.path = \"web\", web.allow = [\"/host/os\", \"/state/**\"], x = true }\n"},
	{"dotted", allowed, "modules . 'web' . path = \"web\" # it\n[log]\n", "modules . 'web' . path = \"web\" # it\nmodules . 'web'.allow = [\"/host/os\", \"/state/**\"]\n[log]\n"},
	{"dotted below", allowed, "[modules]\n\tweb.limits.time = \"1s\"\n\tx = true\n", "[modules]\n\tweb.limits.time = \"1s\"\n\tweb.allow = [\"/host/os\", \"/state/**\"]\n\tx = true\n"},
	{"table", allowed, "[modules.web] # it\n# no key = 1\n\n[log]\n", "[modules.web] # it\nallow = [\"/host/os\", \"/state/**\"]\n# no key = 1\n\n[log]\n"},
	{"indented table", allowed, "[modules]\n  [modules.web]\n    path = \"web\"\n  [log]\n", "[modules]\n  [modules.web]\n    path = \"web\"\n    allow = [\"/host/os\", \"/state/**\"]\n  [log]\n"},
	{"table with a long text", allowed, "[modules.web]\npath = '''\nweb'''\n# end", "[modules.web]\npath = '''\nweb'''\nallow = [\"/host/os\", \"/state/**\"]\n# end"},
	{"table below", allowed, "[modules.web.limits]\ntime = \"1s\"\n", "[modules.web.limits]\ntime = \"1s\"\n\n[modules.web]\nallow = [\"/host/os\", \"/state/**\"]\n"},
	{"windows lines", allowed, "[modules.web]\r\npath = \"web\"\r\n", "[modules.web]\r\npath = \"web\"\r\nallow = [\"/host/os\", \"/state/**\"]\r\n"},
	{"byte order mark", allowed, "\ufeffmodules.web = true", "\ufeffmodules.web = { allow = [\"/host/os\", \"/state/**\"] }"},

	{"list", allowed, "modules.web.allow = [ \"/host/*\" ] # [", "modules.web.allow = [ \"/host/*\", \"/host/os\", \"/state/**\" ] # ["},
	{"empty list", allowed, "modules.web.allow = []", "modules.web.allow = [\"/host/os\", \"/state/**\"]"},
	{"granted in part", allowed, "modules.web.allow = [\"/host/os\"]", "modules.web.allow = [\"/host/os\", \"/state/**\"]"},
	{"granted whole", allowed, "modules.web.allow = [\"/state/**\", \"/host/os\"]", "modules.web.allow = [\"/state/**\", \"/host/os\"]"},
	{"list on lines", allowed, "[modules.web]\nallow = [\n    \"/host/x\", # \"y\", ]\n\n    # more\n]\n", "[modules.web]\nallow = [\n    \"/host/x\", # \"y\", ]\n\n    # more\n    \"/host/os\",\n    \"/state/**\",\n]\n"},
	{"list on lines without a comma", allowed, "[modules.web]\nallow = [\n  \"/host/x\" # ,\n]\n", "[modules.web]\nallow = [\n  \"/host/x\", # ,\n  \"/host/os\",\n  \"/state/**\"\n]\n"},
	{"list on lines, closed on the last", allowed, "modules.web.allow = [\n  '/host/x',\n  '/host/y']", "modules.web.allow = [\n  '/host/x',\n  '/host/y', \"/host/os\", \"/state/**\"]"},
	{"empty list on lines", allowed, "modules.web.allow = [ # none\n]", "modules.web.allow = [ # none\n  \"/host/os\",\n  \"/state/**\",\n]"},
	{"nested quotes", allowed, "modules.web.allow = [\"/host/[\\\"]\", '/host/\"', \"\"\"/host/\\\"\"\"\"\"]", "modules.web.allow = [\"/host/[\\\"]\", '/host/\"', \"\"\"/host/\\\"\"\"\"\", \"/host/os\", \"/state/**\"]"},

	{"ranges", config.Allow("web", policy.Grants{{Pattern: "/dev/tcp/*/443", Ranges: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}), "modules.web.allow = [\"/dev/tcp/*/443\"]",
		"modules.web.allow = [\"/dev/tcp/*/443\", \"/dev/tcp/*/443 in 10.0.0.0/8\"]"},

	{"enable", config.Enable("web", true), "modules.web = \"disabled\"", "modules.web = true"},
	{"disable", config.Enable("web", false), "[modules.web]\nallow = []", "[modules.web]\nallow = []\nenabled = false\n"},
	{"enable again", config.Enable("web", true), "modules.web = \"enabled\"", "modules.web = \"enabled\""},
	{"new path", config.Path("new", "sub/new.zip"), "[modules]\nweb = true\n", "[modules]\nweb = true\n\n[modules.new]\npath = \"sub/new.zip\"\n"},
	{"name with a dot", config.Path("my.web", "my.web.zip"), "", "[modules.\"my.web\"]\npath = \"my.web.zip\"\n"},
	{"other path", config.Path("web", "b/web"), "modules.web.path = 'a/web' # there", "modules.web.path = \"b/web\" # there"},
	{"source", config.From("web", sourceOf("oci://example.com/web:2")), "[modules.web]\nsource = \"oci://example.com/web:1\" # there\n", "[modules.web]\nsource = \"oci://example.com/web:2\" # there\n"},
	{"pin", config.Pin("web", trust.DigestOf(nil)), "[modules.web]\nsha256 = \"" + strings.Repeat("0", 64) + "\"\n", "[modules.web]\nsha256 = \"" + pin + "\"\n"},

	{"remove", config.Remove("web"), "[modules]\na = true\nweb = true # x\nb = true\n", "[modules]\na = true\nb = true\n"},
	{"remove nothing", config.Remove("web"), "[modules]\nwebs = true\n", "[modules]\nwebs = true\n"},
	{"remove tables", config.Remove("web"), "# one\n[modules.web]\n# two\npath = \"web\"\n# three\n\n[log]\n[modules.web.limits]\ntime = '1s'\n# four\n", "# one\n# three\n\n[log]\n# four\n"},
	{"remove lines between", config.Remove("web"), "[modules]\n\n[modules.web]\nallow = [\n\"/host/os\"\n]\n\n[log]\n", "[modules]\n\n[log]\n"},
	{"remove dotted", config.Remove("web"), "modules.web.path = 'web'\nruns = 1\nmodules.web.strict = true", "runs = 1\n"},
	{"remove from braces", config.Remove("web"), "modules = { web.path = 'web', a = true, web.strict = true, b = false, web.enabled = true }", "modules = { a = true, b = false }"},
	{"remove the last from braces", config.Remove("web"), "modules = { web = { allow = ['/host/x'] } }", "modules = {  }"},
	{"remove the only one before a comma", config.Remove("web"), "modules = { web = true, }", "modules = { }"},
}

func TestRewrite(t *testing.T) {
	t.Parallel()
	for _, test := range edits {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := config.Rewrite(file(t), test.before, test.change)
			if err != nil || got != test.after {
				t.Errorf("Rewrite: %v\n got %q\nwant %q", err, got, test.after)
			}
		})
	}
}

func TestRewriteSeveral(t *testing.T) {
	t.Parallel()
	got, err := config.Rewrite(file(t), "# mine\n", config.Path("web", "web.zip"), config.Pin("web", trust.DigestOf(nil)),
		config.Enable("web", false), allowed, config.Allow("web", grants("/host/os", "/host/cpu")))
	want := "# mine\n\n[modules.web]\npath = \"web.zip\"\nsha256 = \"" + pin + "\"\nenabled = false\nallow = [\"/host/os\", \"/state/**\", \"/host/cpu\"]\n"
	if err != nil || got != want {
		t.Errorf("Rewrite: %v\n got %q\nwant %q", err, got, want)
	}
}

// TestRewriteWithAuthorities edits a file beside which certificates are read.
func TestRewriteWithAuthorities(t *testing.T) {
	t.Parallel()
	ca, err := filepath.Abs(filepath.Join("..", "..", "..", "..", "examples", "wasm-checks", "certificates", "root-ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	ca = "ca = " + config.Quote(ca) + "\n"
	before := ca + "[modules.web]\n" + ca + "[modules.web.env]\nTOKEN = \"x\"\n"
	got, err := config.Rewrite(file(t), before, allowed, config.Enable("new", false), config.Remove("web"))
	if want := ca + "\n[modules.new]\nenabled = false\n"; err != nil || got != want {
		t.Errorf("Rewrite: %v\n got %q\nwant %q", err, got, want)
	}
	c, err := config.Parse(file(t), before)
	if err != nil {
		t.Fatal(err)
	}
	again, err := config.Parse(file(t), before)
	web, _ := c.Module("web")
	other, _ := c.Module("other")
	if same, _ := again.Module("web"); err != nil || !web.Equal(same) {
		t.Errorf("the same entry is not equal: %v", err)
	}
	if other.CA.Pool() == nil || web.Equal(other) {
		t.Error("two entries are equal that are not")
	}
}

func TestRewriteRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change config.Change
		before string
		want   string
	}{
		{"wrong before", allowed, "strict = 1", "config.toml:1: strict: want true or false"},
		{"built in", config.Allow("CheckSystem", grants("/host/os")), "", "is built in, and has no key but enabled"},
		{"no pattern", config.Allow("web", grants("host")), "", `change it by hand, in [modules.web]: add to allow: "host"`},
		{"no name", config.Enable("a/b", true), "", `in [modules."a/b"]: enabled = true`},
		{"other name", config.Path("web", "other.zip"), "", `that is module "other"`},
		{"escaped value", allowed, "modules.web = \"disable\\u0064\"", "the change would not say what it should"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got, err := config.Rewrite(file(t), test.before, test.change); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Rewrite = %q, %v; want an error with %q", got, err, test.want)
			}
		})
	}
}

// FuzzRewrite changes any valid text: it stays valid, what was not to be changed
// says what it said, and no comment is lost where nothing is taken out.
func FuzzRewrite(f *testing.F) {
	for _, test := range edits {
		f.Add(test.before, "web", "/host/os")
	}
	f.Add(whole, "zipped", "/exec/sh")
	name := file(f)
	f.Fuzz(func(t *testing.T, text, module, pattern string) {
		if _, err := config.Parse(name, text); err != nil {
			return
		}
		for kind, change := range map[string]config.Change{
			"allow":  config.Allow(module, grants(pattern)),
			"enable": config.Enable(module, true),
			"path":   config.Path(module, module+".zip"),
			"remove": config.Remove(module),
		} {
			changed, err := config.Rewrite(name, text, change)
			if err != nil {
				continue
			}
			after, err := config.Parse(name, changed)
			if err != nil {
				t.Fatalf("%s: %q is not valid: %v", kind, changed, err)
			}
			before, _ := config.Parse(name, text)
			compare(t, kind, module, pattern, before, after)
			if kind != "remove" && strings.Count(changed, "#") < strings.Count(text, "#") {
				t.Errorf("%s: a comment is gone:\n%q\n%q", kind, text, changed)
			}
		}
	})
}

// compare wants two configurations to differ in one entry, as they should.
func compare(t *testing.T, kind, module, pattern string, before, after config.Config) {
	t.Helper()
	m, named := after.Module(module)
	switch old, _ := before.Module(module); {
	case kind == "remove":
		if named {
			t.Errorf("module %q is still there", module)
		}
	case kind == "allow" && !m.Allow.Match(pattern) && !strings.ContainsAny(pattern, "*?[{") && len(pattern) <= policy.MaxPath:
		t.Errorf("module %q is not granted %q", module, pattern)
	case kind == "enable" && !m.Enabled:
		t.Errorf("module %q is not enabled", module)
	case kind == "path" && filepath.Base(m.Path) != filepath.Base(module+".zip"):
		t.Errorf("module %q is at %q", module, m.Path)
	case kind != "allow" && !reflect.DeepEqual(m.Allow, old.Allow):
		t.Errorf("module %q is granted %q, and was %q", module, m.Allow, old.Allow)
	}
	for _, c := range []config.Config{before, after} {
		for name := range c.Modules {
			if strings.EqualFold(name, module) {
				delete(c.Modules, name)
			}
		}
	}
	if len(before.Modules) == 0 && len(after.Modules) == 0 {
		before.Modules, after.Modules = nil, nil
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("%s: more was changed than it should:\n%+v\n%+v", kind, before, after)
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"my-checks_2": "my-checks_2",
		"v1.2":        `"v1.2"`,
		`a"b`:         `"a\"b"`,
	} {
		if got := config.Key(name); got != want {
			t.Errorf("config.Key(%q) = %s, want %s", name, got, want)
		}
	}
}
