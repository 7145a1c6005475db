package hostkey

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// A Source is the certificate that this machine shows.
type Source struct {
	pair *watched[*tls.Certificate]
	dir  string // of the host key; empty of the operator's own files
	log  *slog.Logger

	mu    sync.Mutex
	tried time.Time // when the certificate was renewed last
}

// Host is the certificate of the host key in a directory, which is made if it is
// missing and renewed before its end.
func Host(dir string, log *slog.Logger) (*Source, error) {
	f, err := Make(dir)
	if err != nil {
		return nil, err
	}
	s, err := Open(f, log)
	if err != nil {
		return nil, err
	}
	s.dir = dir
	return s, nil
}

// Open is the certificate in files of the operator's, with those that lead to its
// authority behind it. Nobody but the key's owner and group may be able to read it.
func Open(f Files, log *slog.Logger) (*Source, error) {
	pair, err := watch(log, f.load, f.Certificate, f.Key)
	if err != nil {
		return nil, err
	}
	return &Source{pair: pair, log: log}, nil
}

func (f Files) load() (*tls.Certificate, error) {
	key, err := readSecret(f.Key)
	if err != nil {
		return nil, err
	}
	chain, err := readFile(f.Certificate)
	if err != nil {
		return nil, err
	}
	c, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("the certificate %s with the key %s: %w", f.Certificate, f.Key, err)
	}
	return &c, nil
}

// Certificate is the one that is shown now. It is a tls.Config.GetCertificate
// with any argument, and its error is always nil.
func (s *Source) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c := s.pair.current()
	if s.dir != "" && ending(c.Leaf) {
		s.renew()
	}
	return c, nil
}

// renew makes another certificate for the host key, at most once an hour. It is
// noticed like every other.
func (s *Source) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.tried) > time.Hour {
		s.tried = now
		if _, err := Make(s.dir); err != nil {
			s.log.Error("the certificate of the host key cannot be renewed", "error", err)
		}
	}
}
