package access_test

import (
	"errors"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"

	"github.com/wasmagent/wasmagent/access"
)

// written is a file of the test's own.
func written(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "users.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func content(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func wantError(t testing.TB, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v, want one with %q", err, want)
	}
}

func TestCreateOnce(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "data", "users.toml")
	var passwords [8]string
	var done sync.WaitGroup
	for i := range passwords {
		done.Go(func() {
			var err error
			passwords[i], err = access.Create(name)
			wantError(t, err, "")
		})
	}
	done.Wait()
	password := strings.Join(passwords[:], "")
	if len(password) < 20 || len(password) > 40 {
		t.Fatalf("the passwords are %q, want one", passwords)
	}
	if text := content(t, name); strings.Contains(text, password) {
		t.Errorf("the password is in the file:\n%s", text)
	}
	if info, err := os.Stat(name); err != nil || goruntime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("%v, %v; want mode 0600", info.Mode(), err)
	}
	a, err := access.Load(name)
	wantError(t, err, "")
	who, err := access.NewUsers(a).Authenticate(t.Context(), access.Credentials{User: "admin", Password: password, Peer: peer})
	if err != nil || !who.Allows("PUT", "/api/v2/modules/x") || !who.AllowsCommand("x") {
		t.Errorf("admin is %v, %v", who, err)
	}
}

func TestCreateKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	name := written(t, "# mine\n")
	if password, err := access.Create(name); password != "" || err != nil {
		t.Errorf("password %q, %v", password, err)
	}
	if text := content(t, name); text != "# mine\n" {
		t.Errorf("the file holds %q", text)
	}
}

const commented = `# Ours.
[roles.ops] # those of the night
allow = ["* /**"]

# Amy.
[users.amy]
roles = ["ops"]
# Her laptop.
tokens = [
  "sha256:3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0",
]

# Bob.
[users.bob]
roles = ["client"]
`

var editRows = map[string]struct {
	before string
	edit   func(name string) error
	after  string // empty if nothing is to change
	want   string // in the error
}{
	"add": {commented, func(name string) error {
		return access.Put(name, access.User{Name: "eve", Roles: []string{"ops", "full"}})
	},
		commented + "\n[users.\"eve\"]\nroles = [\"ops\", \"full\"]\n", ""},
	"add what looks odd": {"", func(name string) error {
		return access.Put(name, access.User{Name: `o"dd \ [users.x]`, Certificate: `C:\x "y"`})
	}, "[users.\"o\\\"dd \\\\ [users.x]\"]\ncertificate = \"C:\\\\x \\\"y\\\"\"\nroles = []\n", ""},
	"add behind no line end": {"[users.amy]", func(name string) error { return access.Put(name, access.User{Name: "b"}) },
		"[users.amy]\n\n[users.\"b\"]\nroles = []\n", ""},
	"change": {commented, func(name string) error { return access.Put(name, access.User{Name: "amy", Roles: []string{"client"}}) },
		strings.Replace(commented, between(commented, "[users.amy]", "]\n\n# Bob."), "[users.\"amy\"]\nroles = [\"client\"]\n", 1), ""},
	"remove first": {commented, func(name string) error { return access.Remove(name, "amy") },
		strings.Replace(commented, between(commented, "[users.amy]", "]\n\n# Bob."), "", 1), ""},
	"remove last": {commented, func(name string) error { return access.Remove(name, "bob") },
		strings.TrimSuffix(commented, "[users.bob]\nroles = [\"client\"]\n"), ""},
	"remove nobody": {commented, func(name string) error { return access.Remove(name, "Amy") }, "", `no user "Amy"`},
	"unknown role":  {commented, func(name string) error { return access.Put(name, access.User{Name: "e", Roles: []string{"op"}}) }, "", `there is no role "op"`},
	"token of two": {commented, func(name string) error {
		return access.Put(name, access.User{Name: "e", Tokens: []access.Digest{access.DigestOf("token")}})
	}, "", "is a token of amy already"},
	"bad name":        {commented, func(name string) error { return access.Put(name, access.User{Name: "a:b"}) }, "", `without ":"`},
	"line end in one": {commented, func(name string) error { return access.Put(name, access.User{Name: "e", Certificate: "x\ny"}) }, "", "nothing is changed"},
	"in braces":       {"users = { amy = {} }\n", func(name string) error { return access.Remove(name, "amy") }, "", "change it by hand"},
	"dotted":          {"[users]\namy.roles = []\n", func(name string) error { return access.Put(name, access.User{Name: "amy"}) }, "", "change it by hand"},
	"dotted add":      {"users.amy.roles = []\n", func(name string) error { return access.Put(name, access.User{Name: "b"}) }, "users.amy.roles = []\n\n[users.\"b\"]\nroles = []\n", ""},
	"looks like one":  {"[roles.x]\ncommands = [\"\"\"\n[users.bob]\n\"\"\"]\n[users.bob]\n", func(name string) error { return access.Remove(name, "bob") }, "", "nothing is changed"},
	"wrong before":    {"x = 1\n", func(name string) error { return access.Put(name, access.User{Name: "b"}) }, "", "users.toml:1: x: unknown key"},
}

// between is the part of a text from one word to another one, without the latter's
// last line.
func between(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, to)
	return from + text + to[:strings.IndexByte(to, '\n')+1]
}

func TestEdit(t *testing.T) {
	t.Parallel()
	for what, row := range editRows {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			name := written(t, row.before)
			err := row.edit(name)
			wantError(t, err, row.want)
			want := row.after
			if row.want != "" {
				want = row.before
			}
			if got := content(t, name); got != want {
				t.Errorf("the file holds\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestEditTakesTurns(t *testing.T) {
	t.Parallel()
	name := written(t, "")
	var done sync.WaitGroup
	for _, user := range strings.Fields("a b c d e f g h") {
		done.Go(func() { wantError(t, access.Put(name, access.User{Name: user}), "") })
	}
	done.Wait()
	a, err := access.Load(name)
	if err != nil || len(a.Users()) != 8 {
		t.Errorf("the file has %v, %v", a.Users(), err)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	if _, err := access.Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	_, err := access.Load(t.TempDir())
	wantError(t, err, "no regular file")
	_, err = access.Load(written(t, strings.Repeat("#", access.MaxFile+1)))
	wantError(t, err, "larger than")
	for mode, want := range map[os.FileMode]string{0o600: "", 0o640: "", 0o644: "chmod 600", 0o660: "chmod 600", 0o604: "chmod 600"} {
		name := written(t, "")
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := access.Load(name); goruntime.GOOS != "windows" {
			wantError(t, err, want)
		}
	}
}

func TestEditKeepsModeAndLink(t *testing.T) {
	t.Parallel()
	name := written(t, "")
	link := filepath.Join(t.TempDir(), "link.toml")
	if err := errors.Join(os.Chmod(name, 0o640), os.Symlink(name, link)); err != nil {
		t.Fatal(err)
	}
	wantError(t, access.Put(link, access.User{Name: "amy"}), "")
	info, err := os.Lstat(name)
	if err != nil || goruntime.GOOS != "windows" && info.Mode() != 0o640 {
		t.Errorf("%v, %v; want mode 0640", info.Mode(), err)
	}
	if !strings.Contains(content(t, name), "amy") {
		t.Error("the link is replaced")
	}
}
