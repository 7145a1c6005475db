// Package access says who may ask the agent, and for what: the hosts that may
// connect, the users with their passwords, tokens and certificates, and the
// roles that grant them requests.
//
// Guarantees: what is not allowed is refused, and so is everything that cannot
// be decided: a name that does not resolve, a path that is not in its shortest
// form, a role that nobody defined. The zero Hosts, Identity and Accounts allow
// nobody and nothing. No secret is kept as it was given: of passwords there is
// an argon2id hash, of tokens a SHA-256. Secrets are compared in constant time,
// and asking for a user who does not exist takes as long as for one who does.
// Whoever guesses passwords gets slow answers and uses a bounded amount of
// memory and processor time; nobody is locked out by somebody else's guesses. The
// log has a line of each, in a bounded number, without what was guessed.
//
// Everything exported is safe for concurrent use unless it says otherwise.
package access

import (
	"crypto/x509"
	"errors"
	"net/netip"
	"slices"
)

// What Authenticate returns; a listener answers 401 to the first two, with 429
// to the third.
var (
	// ErrNone says that a request had no credentials.
	ErrNone = errors.New("no credentials; give a user's password, a token or a client certificate")
	// ErrWrong says that a request's credentials are nobody's. It does not say
	// whether there is such a user.
	ErrWrong = errors.New("wrong credentials")
	// ErrThrottled says that too many passwords from the peer are waiting to be
	// verified. The same credentials may be right: try again in a second.
	ErrThrottled = errors.New("too many passwords to verify from this address; try again in a second")
)

// Credentials are what a request says about who asks. A token counts before a
// password, and a certificate only without either.
type Credentials struct {
	User, Password string
	// Token is one of users.toml or of Users.Mint.
	Token string
	// Certificate is the client's. The handshake has verified it: its chain, or
	// at least that the client has its key where Accounts names fingerprints.
	Certificate *x509.Certificate
	// Peer is whom a listener talks to. Guesses are counted by it.
	Peer netip.Addr
	// Address is where the listener was asked, for the log.
	Address string
}

// Identity is a user who has been authenticated, with what the user may do. The
// zero Identity is nobody and may do nothing.
type Identity struct {
	// User is the name in users.toml.
	User string
	// By is how the user has shown it: "password", "token", "session" or
	// "certificate".
	By string
	// Roles are the names of the user's.
	Roles []string

	grants []Role
	proof  proof
}

// Allows tells whether a role of the user grants a request. The path is decoded
// and in its shortest form but for one "/" at its end; any other is refused.
// Whoever may GET may HEAD.
func (i Identity) Allows(verb, path string) bool {
	return slices.ContainsFunc(i.grants, func(r Role) bool { return r.allows(verb, path) })
}

// AllowsCommand tells whether a role of the user lets it run a command, ignoring
// case. It counts beside Allows: a request that runs a command needs both.
func (i Identity) AllowsCommand(name string) bool {
	return slices.ContainsFunc(i.grants, func(r Role) bool { return r.Commands.Allow(name) })
}
