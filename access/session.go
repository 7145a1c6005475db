package access

import (
	"sync"
	"time"
)

const (
	// sessionTime is how long a session lasts, as NSClient++'s do.
	sessionTime = 8 * time.Hour
	// maxSessions is the most sessions of one user.
	maxSessions = 64
)

// sessions are those of all users, by the digest of their token.
type sessions struct {
	mu  sync.Mutex
	all map[Digest]session
}

type session struct {
	user  string
	proof proof
	until time.Time
}

// A proof is what a user shows to begin a session, which ends when it changes.
type proof struct {
	password    Hash
	certificate string
}

func (u User) proof() proof { return proof{u.Password, u.Certificate} }

// mint makes a session, in the place of those that have ended and, if the user
// has too many, of the oldest.
func (s *sessions) mint(user string, proof proof) (token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	count, oldest := 0, Digest{}
	for d, other := range s.all {
		if !now.Before(other.until) {
			delete(s.all, d)
		} else if other.user == user {
			if count == 0 || other.until.Before(s.all[oldest].until) {
				oldest = d
			}
			count++
		}
	}
	if count >= maxSessions {
		delete(s.all, oldest)
	}
	if s.all == nil {
		s.all = map[Digest]session{}
	}
	token = randomHex(16) // 32 characters, as NSClient++'s have
	s.all[DigestOf(token)] = session{user, proof, now.Add(sessionTime)}
	return token
}

func (s *sessions) find(token Digest) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.all[token]
	return found, ok && time.Now().Before(found.until)
}

func (s *sessions) end(token Digest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.all[token]
	delete(s.all, token)
	return ok
}
