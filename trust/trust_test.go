package trust_test

import (
	"bytes"
	"io/fs"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"

	"github.com/wasmagent/wasmagent/trust"
)

// A signer is a key pair of a test.
type signer struct {
	trust.Secret
	private minisign.PrivateKey
	key     trust.Key
}

func newSigner(t testing.TB) signer {
	t.Helper()
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := private.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	secret, err := trust.OpenSecret(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := trust.ParseKey(public.String())
	if err != nil {
		t.Fatal(err)
	}
	return signer{secret, private, key}
}

// as is the signer's key under a name, for modules.
func (s signer) as(name string, modules ...string) trust.Key {
	k := s.key
	k.Name, k.Modules = name, modules
	return k
}

// comment signs with a trusted comment.
func (s signer) comment(archive []byte, trusted string) []byte {
	r := minisign.NewReader(bytes.NewReader(archive))
	buffer := bytes.Buffer{}
	if _, err := buffer.ReadFrom(r); err != nil {
		panic(err)
	}
	return r.SignWithComments(s.private, trusted, "none")
}

var (
	archive = []byte("the bytes of a zip")
	day     = time.Unix(1_700_000_000, 0)
)

func beside(text []byte) func() ([]byte, error) {
	return func() ([]byte, error) { return text, nil }
}

func nothingBeside() ([]byte, error) { return nil, fs.ErrNotExist }

func TestVerify(t *testing.T) {
	t.Parallel()
	ours, other := newSigner(t), newSigner(t)
	right, wrong := trust.DigestOf(archive), trust.DigestOf([]byte("others"))
	valid := beside(ours.Sign(archive, "web", "1.0", day))
	keys := []trust.Key{other.as("other", "db"), ours.as("ops", "web*", "Disk")}
	rows := []struct {
		name      string
		require   trust.Require
		keys      []trust.Key
		module    string
		pin       trust.Digest
		signature func() ([]byte, error)
		refused   string // empty is accepted
		signed    bool
	}{
		{"nothing required", trust.Nothing, nil, "web", "", nothingBeside, "", false},
		{"nothing required, bad signature", trust.Nothing, keys, "web", "", beside([]byte("x")), "", false},
		{"nothing required, signed", trust.Nothing, keys, "web", "", valid, "", true},
		{"nothing required, pinned", trust.Nothing, nil, "web", right, nothingBeside, "", false},
		{"nothing required, wrong pin", trust.Nothing, nil, "web", wrong, nothingBeside, "it is pinned to " + string(wrong), false},
		{"digest, nothing", trust.Pin, nil, "web", "", nothingBeside, "it is not pinned (its SHA-256 is " + string(right) + "), and no keys are trusted", false},
		{"digest, pinned", trust.Pin, nil, "web", right, nothingBeside, "", false},
		{"digest, signed", trust.Pin, keys, "web", "", valid, "", true},
		{"digest, signed and wrong pin", trust.Pin, keys, "web", wrong, valid, "these are other bytes", true},
		{"digest, pinned and bad signature", trust.Pin, keys, "web", right, beside(nil), "", false},
		{"signature", trust.Signature, keys, "web", "", valid, "", true},
		{"signature, case of the name", trust.Signature, keys, "WEB", "", valid, "", true},
		{"signature, pinned only", trust.Signature, keys, "web", right, nothingBeside, "there is no signature web.zip.minisig beside it", false},
		{"signature and wrong pin", trust.Signature, keys, "web", wrong, valid, "these are other bytes", true},
		{"signature, no keys", trust.Signature, nil, "web", "", valid, "no keys are trusted", false},
		{"signature cannot be read", trust.Signature, keys, "web", "", func() ([]byte, error) { return nil, fs.ErrPermission }, "cannot be read: permission denied", false},
		{"renamed", trust.Signature, keys, "web2", "", valid, `is of the module "web" and this one is named web2`, false},
		{"of another file", trust.Signature, keys, "web", "", beside(ours.Sign([]byte("others"), "web", "", day)), "is not of these bytes", false},
		{"key not allowed", trust.Signature, keys, "web", "", beside(other.Sign(archive, "web", "", day)), "by other (key " + other.key.ID() + "), which may sign for db only and not for web", false},
		{"pattern of another case", trust.Signature, keys, "dISK", "", beside(ours.Sign(archive, "disk", "", day)), "", true},
		{"key unknown", trust.Signature, keys, "web", "", beside(newSigner(t).Sign(archive, "web", "", day)), "which is not trusted", false},
		{"minisign's own comment", trust.Signature, keys, "web", "", beside(ours.comment(archive, "timestamp:1\tfile:web.ZIP\thashed")), "", true},
		{"minisign's own comment, renamed", trust.Signature, keys, "web", "", beside(ours.comment(archive, "timestamp:1\tfile:disk.zip\thashed")), `is of the module "disk"`, false},
		{"no name", trust.Signature, keys, "web", "", beside(ours.comment(archive, "all is well")), "does not say which module it is of", false},
		{"two names", trust.Signature, keys, "web", "", beside(ours.comment(archive, "module=web module=db")), `is of the module "db"`, false},
		{"a name in a file's name", trust.Signature, keys, "web", "", beside(ours.comment(archive, "file:x module=web.zip")), `is of the module "x module=web"`, false},
		{"a second name behind a tab", trust.Signature, keys, "web", "", beside(ours.comment(archive, "file:x\tmodule=web")), `is of the module "x"`, false},
		{"control characters", trust.Signature, keys, "web", "", beside(ours.comment(archive, "module=web \x1b[2J")), "control characters", false},
		{"legacy", trust.Signature, keys, "web", "", beside(minisign.SignWithComments(ours.private, archive, "module=web", "")), "legacy format", false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := trust.Policy{Require: row.require, Keys: row.keys}
			proof, err := p.Verify(trust.Subject{Name: row.module, Pin: row.pin, Signature: row.signature}, archive)
			checkError(t, err, row.refused)
			if proof.Digest != right || proof.Pinned != (row.pin == right) {
				t.Errorf("the proof is %+v", proof)
			}
			if signed := proof.Signer != nil; signed != row.signed || signed != (proof.Unsigned == nil) || signed != (proof.Comment != "") {
				t.Errorf("the proof is %+v, want a signer: %v", proof, row.signed)
			}
		})
	}
}

// checkError wants an error that contains a text, or none if that is empty.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("error: %v", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v, want one with %q", err, want)
	}
}

// damaged are texts that are no signature that counts, made from one that is.
func damaged(valid []byte) []struct{ name, text, want string } {
	lines := strings.SplitAfter(string(valid), "\n")
	swap := func(i int, line string) string {
		return strings.Join(append(append(append([]string{}, lines[:i]...), line), lines[i+1:]...), "")
	}
	flip := func(i int) string { // another signature, or another key's ID
		line := []byte(lines[i])
		line[20] = map[bool]byte{true: 'B', false: 'A'}[line[20] == 'A'] // of base64, whatever was there
		return swap(i, string(line))
	}
	return []struct{ name, text, want string }{
		{"empty", "", "has 1 lines"},
		{"one line", lines[0], "has 1 lines"},
		{"cut off", string(valid[:len(valid)/2]), "lines, and a minisign signature has 4"},
		{"cut off in the last line", string(valid[:len(valid)-9]), "is damaged"},
		{"more lines", string(valid) + "x\n", "has 5 lines"},
		{"large", string(valid) + strings.Repeat("\n", trust.MaxSignature), "is larger than"},
		{"garbage", "\xff\x00\n\n\n\n", "lines, and a minisign signature has 4"},
		{"garbage in four lines", "a\nb\nc\nd\n", "is damaged"},
		{"no untrusted comment", swap(0, "comment\n"), "is damaged"},
		{"no trusted comment", swap(2, "comment\n"), "is damaged"},
		{"another trusted comment", swap(2, "trusted comment: module=web\n"), "is not of these bytes"},
		{"no base64", swap(1, "!\n"), "is damaged"},
		{"short signature", swap(1, "RUQ=\n"), "is damaged"},
		{"short signature of the comment", swap(3, "RUQ=\n"), "is damaged"},
		{"another signature", flip(1), "is not of these bytes"},
		{"another signature of the comment", flip(3), "is not of these bytes"},
		{"another algorithm", swap(1, "XX"+lines[1][2:]), "is damaged"},
		{"called legacy", swap(1, "RW"+lines[1][2:]), "legacy format"},
	}
}

func TestDamagedSignatures(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	p := trust.Policy{Require: trust.Signature, Keys: []trust.Key{s.key}}
	valid := s.Sign(archive, "web", "1.0", day)
	for _, row := range damaged(valid) {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := p.Verify(trust.Subject{Name: "web", Signature: beside([]byte(row.text))}, archive)
			checkError(t, err, row.want)
		})
	}
	for _, text := range []string{string(valid), strings.ReplaceAll(string(valid), "\n", "\r\n"), strings.TrimSpace(string(valid))} {
		if _, err := p.Verify(trust.Subject{Name: "web", Signature: beside([]byte(text))}, archive); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzSignature holds what is accepted against minisign itself.
func FuzzSignature(f *testing.F) {
	s := newSigner(f)
	valid := s.Sign(archive, "web", "1.0", day)
	f.Add(valid)
	for _, row := range damaged(valid) {
		f.Add([]byte(row.text))
	}
	p := trust.Policy{Require: trust.Signature, Keys: []trust.Key{s.key}}
	public := s.private.Public().(minisign.PublicKey)
	f.Fuzz(func(t *testing.T, text []byte) {
		proof, err := p.Verify(trust.Subject{Name: "web", Signature: beside(text)}, archive)
		if (err == nil) != (proof.Signer != nil) {
			t.Errorf("error %v with the proof %+v", err, proof)
		}
		if err == nil && (!minisign.Verify(public, archive, text) || !strings.Contains(proof.Comment, "module=web")) {
			t.Errorf("accepted %q", text)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("the error cannot be shown: %q", err)
		}
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	a, b := newSigner(t), newSigner(t)
	rows := []struct {
		name   string
		policy trust.Policy
		want   string
	}{
		{"nothing", trust.Policy{}, ""},
		{"keys", trust.Policy{Require: trust.Signature, Keys: []trust.Key{a.key, b.as("b", "x-*")}}, ""},
		{"digest without keys", trust.Policy{Require: trust.Pin}, ""},
		{"signature without keys", trust.Policy{Require: trust.Signature}, "there are no keys"},
		{"twice", trust.Policy{Keys: []trust.Key{a.key, b.key, a.as("again")}}, "key 3: has the ID " + a.key.ID() + " of key 1"},
		{"no modules", trust.Policy{Keys: []trust.Key{a.as("a", []string{}...), {Modules: []string{}}}}, "key 2: modules is empty"},
		{"bad pattern", trust.Policy{Keys: []trust.Key{a.as("a", "x", "[")}}, `key 1: modules: "[" is no pattern`},
		{"empty pattern", trust.Policy{Keys: []trust.Key{a.as("a", "")}}, `key 1: modules: "" is no pattern`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			checkError(t, row.policy.Check(), row.want)
		})
	}
}

func TestRequire(t *testing.T) {
	t.Parallel()
	for _, want := range []trust.Require{trust.Nothing, trust.Pin, trust.Signature} {
		var got trust.Require
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Errorf("%v: got %v, %v", want, got, err)
		}
	}
	var r trust.Require
	checkError(t, r.UnmarshalText([]byte("Signature")), `"Signature": want "none"`)
}

func TestDigest(t *testing.T) {
	t.Parallel()
	want := trust.DigestOf(nil)
	var d trust.Digest
	if err := d.UnmarshalText([]byte(strings.ToUpper(string(want)))); err != nil || d != want {
		t.Errorf("got %v, %v", d, err)
	}
	for _, text := range []string{"", "12", string(want) + "00", "g" + string(want[1:]), " " + string(want)} {
		checkError(t, d.UnmarshalText([]byte(text)), "64 hex digits")
	}
}

func TestDemands(t *testing.T) {
	t.Parallel()
	if (trust.Policy{}).Demands("") || !(trust.Policy{}).Demands(trust.DigestOf(nil)) || !(trust.Policy{Require: trust.Pin}).Demands("") {
		t.Error("want what is required or pinned to be demanded, and nothing else")
	}
}

// TestVersionIsOneWord signs a module whose version would be a second name.
func TestVersionIsOneWord(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	p := trust.Policy{Require: trust.Signature, Keys: []trust.Key{s.key}}
	for _, version := range []string{"1 module=db", "1\tfile:db.zip", "1\nx", "\xff", strings.Repeat("ü", 100)} {
		text := s.Sign(archive, "web", version, day)
		proof, err := p.Verify(trust.Subject{Name: "web", Signature: beside(text)}, archive)
		if err != nil || !strings.HasSuffix(proof.Comment, " timestamp:1700000000") {
			t.Errorf("%q: %q, %v", version, proof.Comment, err)
		}
	}
}
