package access

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/wasmagent/wasmagent/internal/rate"
)

// remembered is how long a password need not be verified again that was right,
// from the last time on that it was given.
const remembered = time.Hour

// Users authenticates against the accounts that it was given last. Make one with
// NewUsers.
type Users struct {
	// Log hears of wrong passwords and tokens, in a bounded number of lines. Nil is
	// slog.Default. It is set before anybody asks.
	Log *slog.Logger

	accounts atomic.Pointer[roll]
	queue    *queue
	sessions sessions
	notices  rate.Notices

	verifying singleflight.Group // passwords, by their mark and peer

	key      [sha256.Size]byte // of the marks; new in each process
	mu       sync.Mutex
	verified map[string]verified // by the name of the user
}

// A roll is accounts with what is worked out from them once.
type roll struct {
	*Accounts
	decoy Hash
}

// A verified password is known by its mark.
type verified struct {
	mark  [sha256.Size]byte
	until time.Time
}

// NewUsers makes Users of accounts; nil are none.
func NewUsers(a *Accounts) *Users {
	u := &Users{queue: newQueue(), verified: map[string]verified{}}
	rand.Read(u.key[:]) // never fails
	u.Set(a)
	return u
}

// Set replaces the accounts. What holds for a user who is also in the new ones
// stays: sessions, unless the password or the certificate is another, and that passwords have been
// verified.
func (u *Users) Set(a *Accounts) {
	if a == nil {
		a = &Accounts{}
	}
	var hashes []Hash
	for _, user := range a.users {
		if user.Password != (Hash{}) {
			hashes = append(hashes, user.Password)
		}
	}
	u.accounts.Store(&roll{a, decoy(hashes)})
	u.mu.Lock()
	defer u.mu.Unlock()
	for name := range u.verified {
		if _, stays := a.users[name]; !stays {
			delete(u.verified, name)
		}
	}
}

// Accounts are those that hold now.
func (u *Users) Accounts() *Accounts { return u.accounts.Load().Accounts }

// Authenticate says who asks. The error is ErrNone, ErrWrong, ErrThrottled or
// the context's. A password that was right within the last hour is not verified
// again, and never throttled; a token never is.
func (u *Users) Authenticate(ctx context.Context, c Credentials) (Identity, error) {
	switch {
	case c.Token != "":
		return u.byToken(ctx, c)
	case c.User != "" || c.Password != "":
		return u.byPassword(ctx, c)
	case c.Certificate != nil:
		return u.byCertificate(c.Certificate)
	}
	return Identity{}, ErrNone
}

// byToken finds a token by its digest, which tells nothing of others to whoever
// measures how long that takes.
func (u *Users) byToken(ctx context.Context, c Credentials) (Identity, error) {
	a, digest := u.accounts.Load(), DigestOf(c.Token)
	if user, ok := a.users[a.tokens[digest]]; ok {
		return a.identity(user, "token"), nil
	}
	if s, ok := u.sessions.find(digest); ok {
		if user, ok := a.users[s.user]; ok && user.proof() == s.proof {
			return a.identity(user, "session"), nil
		}
	}
	u.say(ctx, c, "the token is nobody's, or its session has ended")
	return Identity{}, ErrWrong
}

// byCertificate finds a certificate by its fingerprint, then by its name.
func (u *Users) byCertificate(c *x509.Certificate) (Identity, error) {
	a := u.accounts.Load()
	for _, id := range []string{Digest(sha256.Sum256(c.Raw)).String(), c.Subject.CommonName} {
		if user, ok := a.users[a.certs[id]]; ok && id != "" {
			return a.identity(user, "certificate"), nil
		}
	}
	return Identity{}, ErrNone
}

func (u *Users) byPassword(ctx context.Context, c Credentials) (Identity, error) {
	if len(c.Password) > MaxPassword {
		u.say(ctx, c, wrongPassword)
		return Identity{}, ErrWrong
	}
	a := u.accounts.Load()
	user, found := a.users[c.User]
	hash := user.Password
	if hash == (Hash{}) {
		hash = a.decoy
	}
	mark := u.mark(c.User, c.Password, hash)
	if u.remembers(c.User, mark) {
		return a.identity(user, "password"), nil
	}
	right, err := u.verify(ctx, c, hash, mark)
	switch {
	case err != nil:
		return Identity{}, err
	case !right || !found:
		return Identity{}, ErrWrong
	}
	return a.identity(user, "password"), nil
}

// verify tells whether a hash is that of a password. Requests of one peer with the
// same password share one verification, so that a client that opens many
// connections at one time has one place in the queue. If the request ends that
// stands there, the next one takes a place.
func (u *Users) verify(ctx context.Context, c Credentials, hash Hash, mark [sha256.Size]byte) (right bool, err error) {
	for {
		shared := u.verifying.DoChan(string(mark[:])+network(c.Peer).String(), func() (any, error) {
			return u.verifyInTurn(ctx, c, hash, mark)
		})
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case outcome := <-shared:
			if outcome.Err == nil || outcome.Err == ErrThrottled || ctx.Err() != nil {
				return outcome.Val.(bool), outcome.Err
			}
		}
	}
}

func (u *Users) verifyInTurn(ctx context.Context, c Credentials, hash Hash, mark [sha256.Size]byte) (right bool, err error) {
	leave, err := u.queue.enter(ctx, c.Peer, c.User)
	if err != nil {
		return false, err
	}
	// Somebody ahead in the queue may have had the same.
	if right = u.remembers(c.User, mark) || hash.Verify(c.Password); right {
		u.remember(c.User, mark)
	} else { // now, for whoever guesses may not wait for the answer
		u.say(ctx, c, wrongPassword)
	}
	return right, hold(ctx, leave(right))
}

const wrongPassword = "the password is not the user's, or there is no such user"

// say logs a guess, but nothing of what was guessed.
func (u *Users) say(ctx context.Context, c Credentials, reason string) {
	u.notices.Log(ctx, cmp.Or(u.Log, slog.Default()), slog.LevelWarn, "login refused",
		"peer", c.Peer, "user", fmt.Sprintf("%.*s", maxName, c.User), "reason", reason, "address", c.Address)
}

// hold waits for a time, or until a request ends.
func hold(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// mark is what is remembered of a password and the hash that it has. It is of no
// use without the key, and to no other hash.
func (u *Users) mark(user, password string, hash Hash) (mark [sha256.Size]byte) {
	mac := hmac.New(sha256.New, u.key[:])
	for _, field := range []string{user, password, hash.salt, hash.sum} {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(field))))
		mac.Write([]byte(field))
	}
	mac.Sum(mark[:0])
	return mark
}

// remembers tells whether a password was right lately, and holds it for as long
// again if it was.
func (u *Users) remembers(user string, mark [sha256.Size]byte) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	v, ok := u.verified[user]
	if !ok || !hmac.Equal(v.mark[:], mark[:]) || !time.Now().Before(v.until) {
		return false
	}
	u.verified[user] = verified{mark, time.Now().Add(remembered)}
	return true
}

// remember keeps one password of each user, unless the user is gone meanwhile.
func (u *Users) remember(user string, mark [sha256.Size]byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, ok := u.accounts.Load().users[user]; ok {
		u.verified[user] = verified{mark, time.Now().Add(remembered)}
	}
}

// Mint begins a session: its token is good for eight hours in this process, as
// long as the user stays with the same password and certificate. A user has at most 64; the
// oldest ends for one more.
func (u *Users) Mint(i Identity) (token string) { return u.sessions.mint(i.User, i.proof) }

// Revoke ends the session of a token, and tells whether there was one.
func (u *Users) Revoke(token string) bool { return u.sessions.end(DigestOf(token)) }
