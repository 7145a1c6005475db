package trust_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/trust"
)

// A tool is the real minisign in a directory of its own.
type tool struct {
	path, dir string
}

// newTool skips the test without minisign, or fails it where all tools must be
// there.
func newTool(t *testing.T) tool {
	t.Helper()
	path := needs.Program(t, "minisign")
	m := tool{path, t.TempDir()}
	m.write(t, "web.zip", archive)
	return m
}

// run runs minisign with a standard input and returns all that it says.
func (m tool) run(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), m.path, args...)
	cmd.Dir, cmd.Stdin = m.dir, strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (m tool) must(t *testing.T, stdin string, args ...string) {
	t.Helper()
	if out, err := m.run(t, stdin, args...); err != nil {
		t.Fatalf("minisign %q: %v\n%s", args, err, out)
	}
}

func (m tool) write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (m tool) read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(m.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestMinisignSigns has minisign sign what this package verifies.
func TestMinisignSigns(t *testing.T) {
	t.Parallel()
	m := newTool(t)
	m.must(t, "", "-G", "-W", "-p", "a.pub", "-s", "a.key")
	key, err := trust.ParseKey(string(m.read(t, "a.pub")))
	if err != nil {
		t.Fatal(err)
	}
	p := trust.Policy{Require: trust.Signature, Keys: []trust.Key{key}}
	for _, row := range []struct {
		args []string
		want string
	}{
		{nil, ""}, // its own comment
		{[]string{"-H"}, ""},
		{[]string{"-t", "from ops module=WEB"}, ""},
		{[]string{"-t", "module=db"}, `is of the module "db"`},
		{[]string{"-t", "from ops"}, "does not say which module"},
		{[]string{"-l"}, "legacy format"},
	} {
		m.must(t, "", append([]string{"-S", "-s", "a.key", "-m", "web.zip"}, row.args...)...)
		_, err := p.Verify(trust.Subject{Name: "web", Signature: beside(m.read(t, "web.zip.minisig"))}, archive)
		checkError(t, err, row.want)
	}
}

// TestMinisignVerifies has minisign verify what this package signs, with a key of
// minisign's.
func TestMinisignVerifies(t *testing.T) {
	t.Parallel()
	m := newTool(t)
	m.must(t, "", "-G", "-W", "-p", "a.pub", "-s", "a.key")
	s, err := trust.OpenSecret(m.read(t, "a.key"), askedPassword)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Public().Line(), string(m.read(t, "a.pub")); !strings.HasSuffix(want, "\n"+got+"\n") {
		t.Errorf("the public key is %q, want %q", got, want)
	}
	m.write(t, "web.zip.minisig", s.Sign(archive, "web", "1.0", day))
	m.must(t, "", "-V", "-H", "-p", "a.pub", "-m", "web.zip")
	m.must(t, "", "-V", "-P", s.Public().Line(), "-m", "web.zip")
	m.write(t, "web.zip", []byte("changed"))
	if out, err := m.run(t, "", "-V", "-p", "a.pub", "-m", "web.zip"); err == nil {
		t.Errorf("minisign verifies other bytes: %s", out)
	}
}

// TestEncryptedKeys takes encrypted keys to minisign and back. Deriving a key
// takes seconds, so this is one test.
func TestEncryptedKeys(t *testing.T) {
	t.Parallel()
	m := newTool(t)
	s, err := trust.NewSecret()
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.Encrypt("a password")
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, "ours.key", text)
	m.write(t, "ours.pub", s.Public().File())
	m.must(t, "a password\n", "-S", "-s", "ours.key", "-m", "web.zip")
	p := trust.Policy{Require: trust.Signature, Keys: []trust.Key{s.Public()}}
	if _, err := p.Verify(trust.Subject{Name: "web", Signature: beside(m.read(t, "web.zip.minisig"))}, archive); err != nil {
		t.Error(err)
	}

	m.must(t, "theirs\ntheirs\n", "-G", "-p", "theirs.pub", "-s", "theirs.key")
	opened, err := trust.OpenSecret(m.read(t, "theirs.key"), func() (string, error) { return "theirs", nil })
	if err != nil {
		t.Fatal(err)
	}
	if got, want := opened.Public().Line(), string(m.read(t, "theirs.pub")); !strings.HasSuffix(want, "\n"+got+"\n") {
		t.Errorf("the public key is %q, want %q", got, want)
	}
}
