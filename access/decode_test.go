package access_test

import (
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/access"
)

// mistakes are texts with what their errors say, one a line.
var mistakes = map[string]struct{ text, want string }{
	"syntax":        {"[users.amy\n", "users.toml:2: expected '.' or ']' to end table name, but got '\\n' instead"},
	"twice":         {"[users.amy]\n[users.amy]\n", "users.toml:2: Key 'users.amy' has already been defined."},
	"unknown":       {"user = 1\nzzzzzz = 2", "users.toml:1: user: unknown key; did you mean \"users\"?\nusers.toml:2: zzzzzz: unknown key; known here: users, roles"},
	"no table":      {"users = []\nroles = 'x'", "users.toml:1: users: want a table\nusers.toml:2: roles: want a table"},
	"no user":       {"[users]\namy = 1", "users.toml:2: users.amy: want a table"},
	"unknown below": {"[users.amy]\nrole = 'x'\n[roles.r]\nalow = []", "users.toml:2: users.amy.role: unknown key; did you mean \"roles\"?\nusers.toml:4: roles.r.alow: unknown key; did you mean \"allow\"?"},
	"types":         {"[users.amy]\npassword = 1\ntokens = 'x'\ncertificate = []\nroles = [1]", "users.toml:2: users.amy.password: want a text in quotes\nusers.toml:3: users.amy.tokens: want a list of texts in quotes\nusers.toml:4: users.amy.certificate: want a text in quotes\nusers.toml:5: users.amy.roles: want a list of texts in quotes"},
	"clear text":    {"[users.amy]\npassword = 'secret'", "users.toml:2: users.amy.password: want an argon2id hash, \"$argon2id$v=19$m=...,t=...,p=...$SALT$HASH\", which wasmagent user makes"},
	"clear token":   {"[users.amy]\ntokens = ['secret']", "users.toml:2: users.amy.tokens: want \"sha256:\" and the 64 hex digits of a SHA-256"},
	"fingerprint":   {"[users.amy]\ncertificate = 'sha256:xx'", "users.toml:2: users.amy.certificate: want \"sha256:\" and the 64 hex digits of a SHA-256"},
	"no name":       {"[users.amy]\ncertificate = ''", "users.toml:2: users.amy.certificate: want the common name of a client certificate, or the \"sha256:...\" of its fingerprint"},
	"no role":       {"[users.amy]\nroles = ['ful', 'x']", "users.toml:2: users.amy.roles: there is no role \"ful\"; there are client, full, monitoring\nusers.toml:2: users.amy.roles: there is no role \"x\"; there are client, full, monitoring"},
	"built in":      {"[roles.full]\nallow = []", "users.toml:2: roles.full: is built in; give the role another name"},
	"grants": {"[roles.r]\nallow = ['/x', 'GET x', 'GET /x/', 'GET /[', 'FETCH /x', 'GET, /x', 'GET /**/**/**']\ncommands = ['']", strings.Join([]string{
		`users.toml:2: roles.r: grant "/x": want a verb and a path, such as "GET /api/*/queries/**"`,
		`users.toml:2: roles.r: grant "GET x": write the path from "/" on and in its shortest form, such as "/x"`,
		`users.toml:2: roles.r: grant "GET /x/": write the path from "/" on and in its shortest form, such as "/x"`,
		`users.toml:2: roles.r: grant "GET /[": is not a valid pattern; close every "[" and "{"`,
		`users.toml:2: roles.r: grant "FETCH /x": unknown verb "FETCH"; want "*", or some of GET, POST, PUT, PATCH, DELETE, OPTIONS with commas between them`,
		`users.toml:2: roles.r: grant "GET, /x": unknown verb ""; want "*", or some of GET, POST, PUT, PATCH, DELETE, OPTIONS with commas between them`,
		`users.toml:2: roles.r: grant "GET /**/**/**": more than two "**" or "{...}"; write several grants`,
		`users.toml:2: roles.r: "" is no pattern of commands; write 1 to 1024 bytes, "*" for all commands, and close every "["`,
	}, "\n")},
	"names":           {"[users.'a:b']\n[users.\"\\n\"]\n[roles.'']\n", "users.toml:1: users.\"a:b\": the name \"a:b\": want 1 to 128 bytes that print, without \":\"\nusers.toml:2: users.\"\\n\": the name \"\\n\": want 1 to 128 bytes that print, without \":\"\nusers.toml:3: roles.\"\": the name \"\": want 1 to 128 bytes that print, without \":\""},
	"one certificate": {"[users.a]\ncertificate = 'x'\n[users.b]\ncertificate = 'x'", "users.toml:1: users: users.b.certificate: \"x\" is the certificate of a already; a certificate is one user's"},
}

func TestParseTellsEveryMistake(t *testing.T) {
	t.Parallel()
	for name, row := range mistakes {
		_, err := access.Parse("users.toml", row.text)
		if err == nil || err.Error() != row.want {
			t.Errorf("%s: got\n%v\nwant\n%s", name, err, row.want)
		}
	}
}

func TestParseUsers(t *testing.T) {
	t.Parallel()
	a := parse(t, users)
	var names []string
	for _, u := range a.Users() {
		names = append(names, u.Name)
	}
	if got := strings.Join(names, " "); got != "admin nagios pinned" {
		t.Errorf("users %s", got)
	}
	if u, ok := a.User("admin"); !ok || u.Password.String() != cheap {
		t.Errorf("admin is %v, %v", u, ok)
	}
	if _, ok := a.User("Admin"); ok {
		t.Error("there is a user Admin")
	}
}

// FuzzParse reads a file, writes a user into it and takes it out again.
func FuzzParse(f *testing.F) {
	f.Add(users)
	f.Add(commented)
	for _, row := range mistakes {
		f.Add(row.text)
	}
	for _, row := range editRows {
		f.Add(row.before)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := access.Parse("users.toml", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "users.toml:") {
				t.Errorf("the error %q has no line", err)
			}
			return
		}
		if _, taken := a.User("new"); taken {
			return
		}
		with, err := access.PutText(text, access.User{Name: "new", Roles: []string{"client"}})
		if err != nil {
			return // users in braces, for one
		}
		if !strings.HasPrefix(with, strings.TrimRight(text, "\n")) {
			t.Errorf("%q became %q", text, with)
		}
		without, err := access.RemoveText(with, "new")
		if err != nil || strings.TrimRight(without, "\n") != strings.TrimRight(text, "\n") {
			t.Errorf("%q became %q, %v", text, without, err)
		}
	})
}
