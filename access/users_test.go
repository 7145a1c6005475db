package access_test

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/access"
)

// cheap is the hash of "secret" that a test verifies in no time.
const cheap = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$QQCd8VPOryZiCF3MtwQnPTK7odKCaPcXJGplgNEuj1A"

var (
	peer        = netip.MustParseAddr("192.0.2.1")
	certificate = &x509.Certificate{Raw: []byte("one"), Subject: pkix.Name{CommonName: "icinga"}}
	other       = &x509.Certificate{Raw: []byte("two"), Subject: pkix.Name{CommonName: "nobody"}}
)

const users = `
[users.admin]
password = "` + cheap + `"
roles = ["full"]

[users.nagios]
tokens = ["sha256:3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0"] # token
certificate = "icinga"
roles = ["client", "cpu"]

[users.pinned]
certificate = "sha256:3FC4CCFE745870E2C0D99F71F30FF0656C8DEDD41CC1D7D3D376B0DBE685E2F3" # two
roles = ["monitoring"]

[roles.cpu]
allow = ["GET /x"]
commands = ["check_cpu"]
`

func parse(t testing.TB, text string) *access.Accounts {
	t.Helper()
	a, err := access.Parse("users.toml", text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	u := access.NewUsers(parse(t, users))
	for name, row := range map[string]struct {
		access.Credentials
		want string
		err  error
	}{
		"password":                  {access.Credentials{User: "admin", Password: "secret"}, "admin by password [full]", nil},
		"wrong password":            {access.Credentials{User: "admin", Password: "Secret"}, "", access.ErrWrong},
		"no password":               {access.Credentials{User: "admin"}, "", access.ErrWrong},
		"no user":                   {access.Credentials{Password: "secret"}, "", access.ErrWrong},
		"unknown user":              {access.Credentials{User: "root", Password: "secret"}, "", access.ErrWrong},
		"user without a password":   {access.Credentials{User: "nagios", Password: "secret"}, "", access.ErrWrong},
		"empty for none":            {access.Credentials{User: "nagios"}, "", access.ErrWrong},
		"name in another case":      {access.Credentials{User: "Admin", Password: "secret"}, "", access.ErrWrong},
		"password that is too long": {access.Credentials{User: "admin", Password: strings.Repeat("s", 1025)}, "", access.ErrWrong},
		"hash as password":          {access.Credentials{User: "admin", Password: cheap}, "", access.ErrWrong},
		"token":                     {access.Credentials{Token: "token"}, "nagios by token [client cpu]", nil},
		"wrong token":               {access.Credentials{Token: "Token"}, "", access.ErrWrong},
		"digest as token":           {access.Credentials{Token: access.DigestOf("token").String()}, "", access.ErrWrong},
		"token before password":     {access.Credentials{Token: "x", User: "admin", Password: "secret"}, "", access.ErrWrong},
		"certificate by name":       {access.Credentials{Certificate: certificate}, "nagios by certificate [client cpu]", nil},
		"certificate by digest":     {access.Credentials{Certificate: other}, "pinned by certificate [monitoring]", nil},
		"unknown certificate":       {access.Credentials{Certificate: &x509.Certificate{}}, "", access.ErrNone},
		"password over certificate": {access.Credentials{User: "admin", Password: "secret", Certificate: certificate}, "admin by password [full]", nil},
		"wrong over certificate":    {access.Credentials{User: "admin", Password: "x", Certificate: certificate}, "", access.ErrWrong},
		"nothing":                   {access.Credentials{}, "", access.ErrNone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row.Peer = peer
			got, err := u.Authenticate(t.Context(), row.Credentials)
			if !errors.Is(err, row.err) {
				t.Fatalf("error %v, want %v", err, row.err)
			}
			if text := fmt.Sprintf("%s by %s %s", got.User, got.By, got.Roles); err == nil && text != row.want {
				t.Errorf("got %s, want %s", text, row.want)
			}
			if err != nil && (got.User != "" || got.Allows("GET", "/api")) {
				t.Errorf("an error with the identity %v", got)
			}
		})
	}
}

func TestNobodyMayDoAnything(t *testing.T) {
	t.Parallel()
	for _, a := range []*access.Accounts{nil, {}, parse(t, "")} {
		_, err := access.NewUsers(a).Authenticate(t.Context(), access.Credentials{User: "admin", Password: "x", Peer: peer})
		if !errors.Is(err, access.ErrWrong) {
			t.Errorf("error %v", err)
		}
	}
	if nobody := (access.Identity{}); nobody.Allows("GET", "/api") || nobody.AllowsCommand("check_cpu") {
		t.Error("the zero identity is allowed something")
	}
	if sum := sha256.Sum256([]byte("two")); access.Digest(sum) != access.DigestOf("two") {
		t.Error("a digest is no SHA-256")
	}
}
