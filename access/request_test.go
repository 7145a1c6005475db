package access_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/access"
)

// headerRows are headers with the credentials in them: user, password and token.
var headerRows = []struct{ header, value, user, password, token string }{
	{"", "", "", "", ""},
	{"Authorization", "Basic YW15OnNlY3JldDp4", "amy", "secret:x", ""},
	{"authorization", "basic YW15Og==", "amy", "", ""},
	{"Authorization", "Basic junk", "", "", ""},
	{"Authorization", "Basic YW15", "", "", ""},
	{"Authorization", "Basic", "", "", ""},
	{"Authorization", "Bearer abc", "", "", "abc"},
	{"Authorization", "bearer  abc ", "", "", "abc"},
	{"Authorization", "Bearer", "", "", ""},
	{"Authorization", "Digest abc", "", "", ""},
	{"X-Auth-Token", "abc", "", "", "abc"},
	{"TOKEN", "abc", "", "", "abc"},
	{"token", "abc", "", "", "abc"},
	{"Password", "secret", "admin", "secret", ""},
	{"password", "secret", "admin", "secret", ""},
	{"Cookie", "token=abc", "", "", ""},
}

func TestFromRequest(t *testing.T) {
	t.Parallel()
	for _, row := range headerRows {
		r := httptest.NewRequest("GET", "/?password=secret&TOKEN=abc", nil)
		if row.header != "" {
			r.Header.Set(row.header, row.value)
		}
		c := access.FromRequest(r)
		if c.User != row.user || c.Password != row.password || c.Token != row.token || c.Certificate != nil {
			t.Errorf("%s: %s has %+v", row.header, row.value, c)
		}
	}
}

func TestFromRequestOrder(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "[::ffff:192.0.2.1]:1234"
	shown := &x509.Certificate{Raw: []byte("x")}
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{shown}}
	r.Header = http.Header{"Password": {"p"}, "Token": {"t"}, "X-Auth-Token": {"x"}, "Authorization": {"Bearer b"}}
	wants := func(what, user, password, token string) {
		t.Helper()
		if c := access.FromRequest(r); c.User != user || c.Password != password || c.Token != token || c.Certificate != shown || c.Peer != peer {
			t.Errorf("%s: %+v", what, c)
		}
	}
	wants("all", "", "", "b")
	delete(r.Header, "Authorization")
	wants("three", "", "", "x")
	delete(r.Header, "X-Auth-Token")
	wants("two", "", "", "t")
	delete(r.Header, "Token")
	wants("one", "admin", "p", "")
	r.SetBasicAuth("amy", "b")
	wants("basic", "amy", "b", "")
	r.RemoteAddr = "pipe"
	if c := access.FromRequest(r); c.Peer != (netip.Addr{}) {
		t.Errorf("the peer is %v", c.Peer)
	}
}

// TestFromOtherSite has what browsers say, and others.
func TestFromOtherSite(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		site, origin string
		want         bool
	}{
		{"", "", false},
		{"none", "", false},
		{"same-origin", "https://proxy.example.com", false},
		{"same-site", "", true},
		{"cross-site", "", true},
		{"cross-site", "http://agent:8443", true},
		{"whatever comes", "", true},
		{"", "http://agent:8443", false},
		{"", "http://AGENT:8443", false},
		{"", "http://agent:8444", true},
		{"", "http://agent", true},
		{"", "http://other.example.com", true},
		{"", "null", true},
		{"", "http://%", true},
	} {
		r := httptest.NewRequest("POST", "http://agent:8443/api/v2/reload", nil)
		for name, value := range map[string]string{"Sec-Fetch-Site": row.site, "Origin": row.origin} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		if got := access.FromOtherSite(r); got != row.want {
			t.Errorf("Sec-Fetch-Site %q, Origin %q: %v", row.site, row.origin, got)
		}
	}
}

// TestAddress has the listener's in the credentials, if a server says it.
func TestAddress(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/", nil)
	if c := access.FromRequest(r); c.Address != "" {
		t.Errorf("the address is %q", c.Address)
	}
	at := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 8443}
	if c := access.FromRequest(r.WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, at))); c.Address != "192.0.2.7:8443" {
		t.Errorf("the address is %q", c.Address)
	}
}

// FuzzFromRequest has whatever is in a header be nobody's, or what is in it.
func FuzzFromRequest(f *testing.F) {
	for _, row := range headerRows {
		f.Add(row.header, row.value)
	}
	f.Fuzz(func(t *testing.T, header, value string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header[http.CanonicalHeaderKey(header)] = []string{value}
		c := access.FromRequest(r)
		if !strings.Contains(value, c.Token) {
			t.Errorf("%q: %q has the token %q", header, value, c.Token)
		}
		if c.Token != "" && c.User != "" {
			t.Errorf("%q: %q has both a token and a user", header, value)
		}
		nobody := access.NewUsers(nil)
		nobody.Log = slog.New(slog.DiscardHandler)
		if who, err := nobody.Authenticate(t.Context(), access.Credentials{Token: c.Token, Certificate: c.Certificate}); err == nil {
			t.Errorf("%q: %q is %v", header, value, who)
		}
	})
}
