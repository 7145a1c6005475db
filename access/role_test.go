package access_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/access"
)

// identity is a user with a role.
func identity(t testing.TB, accounts, role string) access.Identity {
	t.Helper()
	text := accounts + "\n[users.x]\ntokens = [\"" + access.DigestOf("x").String() + "\"]\nroles = [\"" + role + "\"]\n"
	who, err := access.NewUsers(parse(t, text)).Authenticate(t.Context(), access.Credentials{Token: "x"})
	if err != nil {
		t.Fatal(err)
	}
	return who
}

// endpoints are those of NSClient++'s API and of the agent's own, each with the
// built-in roles beside "full" that may ask it.
var endpoints = []struct{ request, roles string }{
	{"GET /api", "client monitoring"},
	{"GET /api/v1", "client monitoring"},
	{"GET /api/v2/", "client monitoring"},
	{"HEAD /api/v2", "client monitoring"},
	{"GET /api/v2/login", "client monitoring"},
	{"DELETE /api/v1/login", "client monitoring"},
	{"GET /api/v1/info", "client"},
	{"GET /api/v2/info/version", "client"},
	{"GET /api/v1/aliases", "client monitoring"},
	{"GET /api/v1/queries", "client"},
	{"GET /api/v1/queries/check_cpu", "client"},
	{"GET /api/v1/queries/check_cpu/", "client"},
	{"GET /api/v1/queries/check_cpu/commands/execute", "client monitoring"},
	{"GET /api/v2/queries/web.check/commands/execute_nagios", "client monitoring"},
	{"POST /api/v2/queries/check_cpu/commands/execute", "client monitoring"},
	{"PUT /api/v2/queries/check_cpu/commands/execute", ""},
	{"GET /api/v2/queries/check_cpu/commands/delete", ""},
	{"GET /api/v2/schedule", "client monitoring"},
	{"HEAD /api/v1/schedule/", "client monitoring"},
	{"GET /api/v2/schedule/web%2Fpage one", "client monitoring"},
	{"DELETE /api/v2/schedule/disk", ""},
	{"POST /api/v2/schedule/disk/commands/run", "client monitoring"},
	{"POST /api/v2/schedule/web%2Fpage one/commands/run", "client monitoring"},
	{"GET /api/v2/schedule/disk/commands/run", ""},
	{"POST /api/v2/schedule/disk/commands/remove", ""},
	{"GET /api/v1/modules", "client"},
	{"GET /api/v1/modules/web", ""},
	{"POST /api/v1/modules/web", ""},
	{"PUT /api/v1/modules/web", ""},
	{"GET /api/v1/modules/web/commands/load", ""},
	{"GET /api/v1/modules/web/commands/unload", ""},
	{"GET /api/v2/modules/web/commands/enable", ""},
	{"GET /api/v2/modules/web/commands/disable", ""},
	{"GET /api/v1/scripts", ""},
	{"GET /api/v1/scripts/ext", ""},
	{"PUT /api/v1/scripts/ext/scripts/x.sh", ""},
	{"DELETE /api/v1/scripts/ext/scripts/x.sh", ""},
	{"GET /api/v1/settings/settings/default", ""},
	{"PUT /api/v2/settings/x", ""},
	{"GET /api/v1/logs", ""},
	{"POST /api/v1/logs", ""},
	{"DELETE /api/v1/logs/status", ""},
	{"GET /api/v1/logs/since", ""},
	{"GET /api/v1/events", ""},
	{"DELETE /api/v2/events", ""},
	{"GET /api/v1/metadata", ""},
	{"GET /api/v1/metadata/counters", ""},
	{"GET /api/v2/tags", ""},
	{"GET /api/v2/metrics", "monitoring"},
	{"GET /api/v2/openmetrics", "monitoring"},
	{"DELETE /api/v2/metrics", ""},
	{"GET /metrics", "monitoring"},
	{"GET /probe", "monitoring"},
	{"GET /query/check_cpu", "client monitoring"},
	{"DELETE /query/check_cpu", ""},
	{"POST /query/check_cpu", ""},
	{"GET /query/a/b", ""},
	{"GET /auth/token", "client monitoring"},
	{"POST /auth/token", "client monitoring"},
	{"POST /core/reload", ""},
	{"POST /console/exec", ""},
	{"GET /api/v1/loginx", ""},
	{"GET /api/v1/v2/login", ""},
}

func TestBuiltInRoles(t *testing.T) {
	t.Parallel()
	for _, role := range access.Roles() {
		who := identity(t, "", role.Name)
		for _, e := range endpoints {
			verb, path, _ := strings.Cut(e.request, " ")
			want := role.Name == "full" || strings.Contains(e.roles, role.Name)
			if got := who.Allows(verb, path); got != want {
				t.Errorf("%s may %s: %v, want %v", role.Name, e.request, got, want)
			}
		}
		if !who.AllowsCommand("check_cpu") || !who.AllowsCommand("web.Check X") {
			t.Errorf("%s may not run commands", role.Name)
		}
	}
}

// grantRows are grants with requests that they allow and that they do not.
var grantRows = []struct {
	grant   string
	yes, no []string
}{
	{"GET /x", []string{"GET /x", "GET /x/", "HEAD /x"}, []string{"POST /x", "GET /X", "get /x", "GET /", "GET x", "GET /x//", "GET //x", "GET /./x", "GET /y/../x", " /x", "GET /x\x00"}},
	{"GET,PUT /x/*", []string{"GET /x/y", "PUT /x/y"}, []string{"GET /x", "GET /x/y/z", "DELETE /x/y", "GET,PUT /x/y", "* /x/y"}},
	{"* /**", []string{"GET /", "DELETE /x/y/z", "BREW /x", "GET /x\ny"}, []string{"GET /x/..", "GET ", "GET *", "GET /" + strings.Repeat("x", 5000)}},
	{"* /a/**", []string{"GET /a", "GET /a/b/c"}, []string{"GET /ab", "GET /a/../b"}},
	{"GET /a/**/z", []string{"GET /a/z", "GET /a/b/c/z"}, []string{"GET /a/b", "GET /a/zz"}},
	{"GET /q/{a,b}/?", []string{"GET /q/a/1", "GET /q/b/2"}, []string{"GET /q/c/1", "GET /q/a/12"}},
	{"GET /[a-c]", []string{"GET /b"}, []string{"GET /d"}},
	{"GET /a b", []string{"GET /a b"}, []string{"GET /a"}},
}

func TestGrants(t *testing.T) {
	t.Parallel()
	for _, row := range grantRows {
		who := identity(t, "[roles.r]\nallow = ['"+row.grant+"']", "r")
		allows := func(request string) bool {
			verb, path, _ := strings.Cut(request, " ")
			return who.Allows(verb, path)
		}
		for _, request := range row.yes {
			if !allows(request) {
				t.Errorf("%q does not allow %q", row.grant, request)
			}
		}
		for _, request := range row.no {
			if allows(request) {
				t.Errorf("%q allows %q", row.grant, request)
			}
		}
		if who.AllowsCommand("check_cpu") {
			t.Errorf("%q lets run commands", row.grant)
		}
	}
}

// commandRows are patterns of commands, likewise.
var commandRows = []struct {
	pattern string
	yes, no []string
}{
	{"*", []string{"check_cpu", "", "a/b"}, nil},
	{"check_*", []string{"check_cpu", "CHECK_", "Check_x.y/z"}, []string{"check", "xcheck_cpu", "check-cpu"}},
	{"Web.*", []string{"web.a", "WEB."}, []string{"webxa", "web"}},
	{"a?c", []string{"abc", "aäc"}, []string{"ac", "abbc"}},
	{"*a*b*", []string{"ab", "xaxbx", "aabb"}, []string{"ba", "a", "b"}},
	{"[a-c]?", []string{"a1", "Bx", "c/"}, []string{"[", "d1", "a"}},
	{`\[a]`, []string{"[a]", "[A]"}, []string{"a"}},
	{"check_cpu", []string{"check_CPU"}, []string{"check_cpu2"}},
}

func TestCommandsOfRoles(t *testing.T) {
	t.Parallel()
	for _, row := range commandRows {
		who := identity(t, "[roles.r]\ncommands = ['"+row.pattern+"']", "r")
		for _, name := range row.yes {
			if !who.AllowsCommand(name) {
				t.Errorf("%q does not match %q", row.pattern, name)
			}
		}
		for _, name := range row.no {
			if who.AllowsCommand(name) {
				t.Errorf("%q matches %q", row.pattern, name)
			}
		}
		if who.Allows("GET", "/api") {
			t.Errorf("commands grant a request")
		}
	}
}

func TestWrongCommands(t *testing.T) {
	t.Parallel()
	err := access.Commands{"ok", "[a", "", "b[]"}.Check()
	for _, want := range []string{`"[a"`, `""`, `"b[]"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

// FuzzCommands compares with a regular expression made of the pattern.
func FuzzCommands(f *testing.F) {
	for _, row := range commandRows {
		for _, name := range append(row.yes, row.no...) {
			f.Add(row.pattern, name)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if strings.ContainsAny(pattern, `[\`) {
			return
		}
		pattern, name = strings.ToLower(pattern), strings.ToLower(name)
		quoted := strings.NewReplacer(`\*`, "(?s:.*)", `\?`, "(?s:.)").Replace(regexp.QuoteMeta(pattern))
		if want := regexp.MustCompile("^" + quoted + "$").MatchString(name); (access.Commands{pattern}).Allow(name) != want {
			t.Errorf("%q matches %q: %v", pattern, name, !want)
		}
	})
}

// FuzzGrant holds every grant that is valid to the paths that it may match.
func FuzzGrant(f *testing.F) {
	for _, row := range grantRows {
		for _, request := range append(row.yes, row.no...) {
			verb, path, _ := strings.Cut(request, " ")
			f.Add(row.grant, verb, path)
		}
	}
	f.Fuzz(func(t *testing.T, grant, verb, path string) {
		if strings.ContainsAny(grant, "'\n\r") {
			return
		}
		a, err := access.Parse("f", "[roles.r]\nallow = ['"+grant+"']\n[users.x]\nroles = ['r']\ntokens = ['"+access.DigestOf("x").String()+"']")
		if err != nil {
			return
		}
		who, err := access.NewUsers(a).Authenticate(t.Context(), access.Credentials{Token: "x"})
		if err != nil {
			t.Fatal(err)
		}
		verbs, pattern, _ := strings.Cut(grant, " ")
		if !who.Allows(verb, path) {
			return
		}
		if path == "" || path[0] != '/' || strings.Contains(path+"/", "/../") || strings.Contains(path, "//") {
			t.Errorf("%q allows the path %q", grant, path)
		}
		if verbs != "*" && !strings.Contains(verbs, verb) && verb != "HEAD" {
			t.Errorf("%q allows the verb %q", grant, verb)
		}
		if !strings.ContainsAny(pattern, `*?[{\`) && pattern != path && pattern+"/" != path {
			t.Errorf("%q allows %q", grant, path)
		}
	})
}
