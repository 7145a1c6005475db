package access_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/access"
)

// failregex is that of docs/access.md, with what fail2ban makes of <ADDR>.
var failregex = regexp.MustCompile(`^level=WARN msg="login refused" peer=([0-9a-f.:]+) user=`)

// guessed are the lines about guesses, without the time.
func guessed(t *testing.T, guesses ...func(*access.Users)) []string {
	t.Helper()
	var text strings.Builder
	u := access.NewUsers(parse(t, users))
	u.Log = slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	for _, guess := range guesses {
		guess(u)
	}
	return strings.Split(strings.TrimSpace(text.String()), "\n")
}

// TestGuessesAreLogged has one line of each, whatever is in it, and none of who is
// right or has sent nothing.
func TestGuessesAreLogged(t *testing.T) {
	t.Parallel()
	const password, token = "the password is not the user's, or there is no such user", "the token is nobody's, or its session has ended"
	for name, row := range map[string]struct {
		access.Credentials
		user, reason string // none if there is no line
	}{
		"password":      {access.Credentials{User: "admin", Password: "SECRET"}, "admin", password},
		"no such user":  {access.Credentials{User: "eve", Password: "SECRET"}, "eve", password},
		"no password":   {access.Credentials{User: "nagios", Password: "SECRET"}, "nagios", password},
		"no user":       {access.Credentials{Password: "SECRET"}, `""`, password},
		"long password": {access.Credentials{User: "admin", Password: strings.Repeat("SECRET", 1000)}, "admin", password},
		"long user":     {access.Credentials{User: strings.Repeat("é", 1000), Password: "SECRET"}, strings.Repeat("é", 128), password},
		"forged line":   {access.Credentials{User: "x\nlevel=WARN msg=\"login refused\" peer=192.0.2.66 user=y", Password: "SECRET"}, `"x\nlevel=WARN msg=\"login refused\" peer=192.0.2.66 user=y"`, password},
		"no text":       {access.Credentials{User: "\x1b[2J\xff", Password: "SECRET"}, `"\x1b[2J\xff"`, password},
		"token":         {access.Credentials{Token: "SECRET"}, `""`, token},
		"right":         {access.Credentials{User: "admin", Password: "secret"}, "", ""},
		"right token":   {access.Credentials{Token: "token"}, "", ""},
		"nothing":       {access.Credentials{}, "", ""},
		"certificate":   {access.Credentials{Certificate: other}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row.Peer, row.Address = netip.MustParseAddr("2001:db8::99"), "192.0.2.7:8443"
			want := ""
			if row.reason != "" {
				want = fmt.Sprintf(`level=WARN msg="login refused" peer=2001:db8::99 user=%s reason=%q address=192.0.2.7:8443 lines_left_out=0`, row.user, row.reason)
			}
			got := guessed(t, func(u *access.Users) { u.Authenticate(t.Context(), row.Credentials) })
			if len(got) != 1 || got[0] != want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n"), want)
			}
			if m := failregex.FindStringSubmatch(got[0]); want != "" && (m == nil || m[1] != "2001:db8::99") {
				t.Errorf("%s is of %q", got[0], m)
			}
		})
	}
}

// TestManyGuesses has as many lines as the log has room for, also of those who do
// not wait for the answer.
func TestManyGuesses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		impatient := func(u *access.Users) {
			for i := range 10 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				u.Authenticate(ctx, access.Credentials{User: "admin", Password: fmt.Sprint(i), Peer: peer})
				cancel()
			}
		}
		token := func(u *access.Users) { u.Authenticate(t.Context(), access.Credentials{Token: "x", Peer: peer}) }
		many := func(u *access.Users) {
			for range 100 {
				token(u)
			}
			time.Sleep(5 * time.Second)
		}
		lines := guessed(t, impatient, many, token)
		if len(lines) != 21 || !strings.HasSuffix(lines[20], " lines_left_out=90") {
			t.Errorf("%d lines, the last one %s", len(lines), lines[len(lines)-1])
		}
	})
}
