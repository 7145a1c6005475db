package access_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/access"
)

func TestSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := access.NewUsers(parse(t, users))
		who, err := u.Authenticate(t.Context(), access.Credentials{Token: "token"})
		if err != nil {
			t.Fatal(err)
		}
		token := u.Mint(who)
		if len(token) != 32 || token == u.Mint(who) {
			t.Errorf("the token is %q", token)
		}
		is := func(what, token, want string) {
			t.Helper()
			got, err := u.Authenticate(t.Context(), access.Credentials{Token: token})
			if got.User != want || (want == "") != errors.Is(err, access.ErrWrong) || want != "" && got.By != "session" {
				t.Errorf("%s: it is %q by %q, %v", what, got.User, got.By, err)
			}
		}
		is("minted", token, "nagios")
		is("in capitals", strings.ToUpper(token), "")
		time.Sleep(8*time.Hour - time.Second)
		is("before the end", token, "nagios")
		time.Sleep(time.Second)
		is("after it", token, "")

		token = u.Mint(who)
		if !u.Revoke(token) || u.Revoke(token) {
			t.Error("it does not end once")
		}
		is("revoked", token, "")
	})
}

func TestSessionsOfOneUserAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := access.NewUsers(parse(t, "[users.amy]\n[users.admin]\n"))
		amy, admin := access.Identity{User: "amy"}, access.Identity{User: "admin"}
		kept := u.Mint(admin)
		var tokens []string
		for range access.MaxSessions + 2 {
			tokens = append(tokens, u.Mint(amy))
			time.Sleep(time.Second)
		}
		for i, token := range append(tokens, kept) {
			if _, err := u.Authenticate(t.Context(), access.Credentials{Token: token}); (err == nil) != (i >= 2) {
				t.Errorf("session %d: %v", i, err)
			}
		}
	})
}

// TestSessionOfCertificate takes the certificate away with which a session was begun.
func TestSessionOfCertificate(t *testing.T) {
	t.Parallel()
	of := func(name string) string { return "[users.icinga]\ncertificate = '" + name + "'\nroles = ['client']\n" }
	u := access.NewUsers(parse(t, of("icinga.example.com")))
	who, err := u.Authenticate(t.Context(), access.Credentials{Certificate: &x509.Certificate{Subject: pkix.Name{CommonName: "icinga.example.com"}}})
	if err != nil {
		t.Fatal(err)
	}
	token := u.Mint(who)
	for _, row := range []struct {
		name string
		want error
	}{{"icinga.example.com", nil}, {"other.example.com", access.ErrWrong}} {
		u.Set(parse(t, of(row.name)))
		if _, err := u.Authenticate(t.Context(), access.Credentials{Token: token}); err != row.want {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}

// TestSet holds what stays and what ends when the accounts change.
func TestSet(t *testing.T) {
	t.Parallel()
	const bob = "\n[users.bob]\ntokens = ['sha256:81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd9ec58ce9']\n" // bob
	of := func(password, role string) string {
		return "[users.amy]\npassword = '" + password + "'\nroles = ['" + role + "']\n"
	}
	hash := access.NewHash("other").String()
	for name, row := range map[string]struct {
		after            string
		session, bearer  bool
		password, client string // which one is right, and whether amy may see /api/v2/info
	}{
		"the same":         {of(cheap, "client") + bob, true, true, "secret", "yes"},
		"another role":     {of(cheap, "monitoring") + bob, true, true, "secret", "no"},
		"another password": {of(hash, "client") + bob, false, true, "other", "yes"},
		"no bob":           {of(cheap, "client"), true, false, "secret", "yes"},
		"nobody":           {"", false, false, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := access.NewUsers(parse(t, of(cheap, "client")+bob))
			login := func(password string) (access.Identity, error) {
				return u.Authenticate(t.Context(), access.Credentials{User: "amy", Password: password, Peer: peer})
			}
			who, err := login("secret")
			if err != nil {
				t.Fatal(err)
			}
			token := u.Mint(who)
			u.Set(parse(t, row.after))
			if _, err := u.Authenticate(t.Context(), access.Credentials{Token: token}); (err == nil) != row.session {
				t.Errorf("the session: %v", err)
			}
			if _, err := u.Authenticate(t.Context(), access.Credentials{Token: "bob"}); (err == nil) != row.bearer {
				t.Errorf("the token of bob: %v", err)
			}
			for _, password := range []string{"secret", "other"} {
				who, err := login(password)
				if (err == nil) != (password == row.password) {
					t.Errorf("the password %q: %v", password, err)
				}
				if err == nil && who.Allows("GET", "/api/v2/info") != (row.client == "yes") {
					t.Errorf("the role is not the one of the new accounts")
				}
			}
		})
	}
}
