// Package guesthttp lets net/http work in a check: its Transport connects as
// guest.Dial does.
//
//	client := http.Client{Transport: guesthttp.Transport()}
//
// net/http makes a program more than twice as large, which the agent has to compile,
// and doubles what each run takes to start. A check that asks one thing of one server
// is better off with package http1.
package guesthttp

import (
	"context"
	"net"
	"net/http"

	"github.com/wasmagent/wasmagent/guest"
)

// Transport carries requests of net/http: http over "tcp", https over "tls", where
// the agent verifies the server. Each host that a redirect leads to is connected to
// anew and needs its own grant. It knows no proxy and HTTP/1.1 only. A Transport keeps
// connections; use one for all requests of a program.
func Transport() http.RoundTripper {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return guest.Dial(ctx, "tcp", address)
		},
		DialTLSContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return guest.Dial(ctx, "tls", address)
		},
	}
}
