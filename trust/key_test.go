package trust_test

import (
	"errors"
	"strings"
	"testing"

	"aead.dev/minisign"

	"github.com/wasmagent/wasmagent/trust"
)

// A pair of minisign's own making, with its file.
const (
	published     = "RWTwX7uWqzhxjGkGYty2LD9llAjuVFBsNmyDTKO3npgyS7sOkf7AkD6u"
	publishedID   = "8C7138AB96BB5FF0"
	publishedFile = "untrusted comment: minisign public key " + publishedID + "\n" + published + "\n"
)

var keyTexts = []struct{ name, text, want string }{
	{"line", published, ""},
	{"file", publishedFile, ""},
	{"file of Windows", strings.ReplaceAll(publishedFile, "\n", "\r\n"), ""},
	{"blanks around", "\n " + published + " \n", ""},
	{"empty", "", "is cut off"},
	{"comment only", "untrusted comment: minisign public key\n", "is cut off"},
	{"cut off", published[:50], "is cut off"},
	{"too long", published + "AAAA", "want the line of 56 characters"},
	{"another algorithm", "XX" + published[2:], "is no minisign public key"},
	{"no base64", "RW" + strings.Repeat("!", 54), "is no minisign public key"},
	{"no comment", "comment\n" + published, "is no minisign public key"},
	{"two keys", published + "\n" + published, "is no minisign public key"},
	{"three lines", publishedFile + published, "is no minisign public key"},
	{"large", "untrusted comment: " + strings.Repeat("x", trust.MaxKey) + "\n" + published, "is larger than"},
	{"garbage", "\xff\x00\n", "is no minisign public key"},
	{"an OpenSSH key", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA ops", "is no minisign public key"},
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	for _, row := range keyTexts {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			k, err := trust.ParseKey(row.text)
			checkError(t, err, row.want)
			if err == nil && (k.ID() != publishedID || k.Line() != published || string(k.File()) != publishedFile || k.String() != "key "+publishedID) {
				t.Errorf("got %s, %s, %q", k, k.Line(), k.File())
			}
		})
	}
}

// FuzzParseKey wants what is accepted to be written and read again unchanged.
func FuzzParseKey(f *testing.F) {
	for _, row := range keyTexts {
		f.Add(row.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, err := trust.ParseKey(text)
		if err != nil {
			return
		}
		for _, form := range []string{k.Line(), string(k.File())} {
			if again, err := trust.ParseKey(form); err != nil || again.Line() != k.Line() || again.ID() != k.ID() {
				t.Errorf("%q: %v, %v", form, again, err)
			}
		}
	})
}

func TestMayFor(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		patterns []string
		module   string
		want     bool
	}{
		{nil, "anything", true},
		{[]string{}, "anything", false},
		{[]string{"web"}, "WEB", true},
		{[]string{"WEB-*"}, "web-1", true},
		{[]string{"web-*"}, "web", false},
		{[]string{"web-*"}, "my-web-1", false},
		{[]string{"a", "w?b"}, "web", true},
		{[]string{"["}, "[", false},
	} {
		if got := (trust.Key{Modules: row.patterns}).MayFor(row.module); got != row.want {
			t.Errorf("%q for %s: %v", row.patterns, row.module, got)
		}
	}
}

func secretText(t testing.TB) string {
	t.Helper()
	_, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := private.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// encryptedText is a secret key that claims to be encrypted.
func encryptedText(plain string) string {
	comment, key, _ := strings.Cut(plain, "\n")
	return comment + "\n" + "RWRTY0I" + key[7:]
}

func secretTexts(t testing.TB) []struct{ name, text, want string } {
	plain := secretText(t)
	return []struct{ name, text, want string }{
		{"plain", plain, ""},
		{"plain with a newline", plain + "\r\n", ""},
		{"encrypted", encryptedText(plain), errAsked.Error()},
		{"empty", "", "is no minisign secret key"},
		{"cut off", plain[:len(plain)-8], "is cut off"},
		{"public", publishedFile, "is no minisign secret key"},
		{"three lines", plain + "\nx", "is no minisign secret key"},
		{"large", plain + strings.Repeat("\n", trust.MaxKey), "is larger than"},
		{"garbage", "\xff\x00", "is no minisign secret key"},
	}
}

var errAsked = errors.New("asked for the password")

func askedPassword() (string, error) { return "", errAsked }

func TestOpenSecret(t *testing.T) {
	t.Parallel()
	for _, row := range secretTexts(t) {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s, err := trust.OpenSecret([]byte(row.text), askedPassword)
			checkError(t, err, row.want)
			if err == nil && s.String() != "secret key "+s.Public().ID() {
				t.Errorf("it is shown as %q", s)
			}
		})
	}
}

// TestWrongPassword opens a key that claims the least cost of deriving it.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	_, err := trust.OpenSecret([]byte(encryptedText(secretText(t))), func() (string, error) { return "guess", nil })
	checkError(t, err, "the password is wrong")
}

// FuzzOpenSecret opens any bytes, and never gets to know a password.
func FuzzOpenSecret(f *testing.F) {
	for _, row := range secretTexts(f) {
		f.Add([]byte(row.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if s, err := trust.OpenSecret(text, askedPassword); err == nil && s.Public().ID() == "" {
			t.Errorf("a key without an ID from %q", text)
		}
	})
}
