package access

import (
	"net/http"
	"net/netip"
	"strings"
)

// LegacyUser is whose password the "Password" header of NSClient++'s older
// clients carries.
const LegacyUser = "admin"

// FromRequest reads the credentials of a request over HTTP: those of basic
// authentication; else the token of "Authorization: Bearer", of "X-Auth-Token" or
// of "TOKEN"; else the password of LegacyUser in "Password". None of them is
// looked for in the query, which ends up in logs. A listener that asks clients for
// certificates has verified them in the handshake, as hostkey.Server does.
func FromRequest(r *http.Request) Credentials {
	c := Credentials{Peer: peer(r.RemoteAddr)}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		c.Certificate = r.TLS.PeerCertificates[0]
	}
	if user, password, ok := r.BasicAuth(); ok {
		c.User, c.Password = user, password
		return c
	}
	c.Token = bearer(r.Header)
	if password := r.Header.Get("Password"); c.Token == "" && password != "" {
		c.User, c.Password = LegacyUser, password
	}
	return c
}

func bearer(h http.Header) string {
	if scheme, token, ok := strings.Cut(h.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	if token := h.Get("X-Auth-Token"); token != "" {
		return token
	}
	return h.Get("TOKEN")
}

// peer is the address of a "host:port"; the zero address of anything else.
func peer(remote string) netip.Addr {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}
