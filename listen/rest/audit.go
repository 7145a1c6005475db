package rest

import (
	"net/netip"

	"github.com/wasmagent/wasmagent/access"
)

// An Action is one request to change something, with what came of it.
type Action struct {
	// User is who asked, By how he has shown it (see access.Identity), and Peer from
	// where.
	User, By string
	Peer     netip.Addr
	// Name is what was asked for: "load", "unload", "enable", "disable", "upload",
	// "reload", "run CHECK", "set /PATH", "clear logs", "reset log status"; or the verb
	// and the path of what no role of the user grants.
	Name string
	// Module is which one it was about, and Digest the SHA-256 of its zip in hex, as
	// far as there is one.
	Module, Digest string
	// Err is why it was not done; nil if it was.
	Err error
}

// audit tells what came of a request.
func (a *api) audit(q *request, done Action) {
	done.User, done.By = q.who.User, q.who.By
	done.Peer = access.FromRequest(q.Request).Peer
	a.Audit(done)
}
