package access

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
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
	if at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		c.Address = at.String()
	}
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

// FromOtherSite tells whether a browser sends a request for the page of another
// site. It would give the password that its user has typed here before, so nothing
// is to be done for it. Browsers say so of every request that they send with TLS or
// to this machine (https://www.w3.org/TR/fetch-metadata/), and otherwise of those
// that are no GET, in Origin (https://www.rfc-editor.org/rfc/rfc6454#section-7).
func FromOtherSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
		from := r.Header.Get("Origin")
		u, err := url.Parse(from)
		return from != "" && (err != nil || !strings.EqualFold(u.Host, r.Host))
	}
	return true
}
