// Package trust decides whether the bytes of a module may be loaded: by a pin
// of their SHA-256, or by a minisign signature of a key that the operator trusts
// (https://jedisct1.github.io/minisign/).
//
// Guarantees: a decision is about the very bytes that are handed in, and looks
// at nothing in them. A pin that does not match refuses whatever else is true.
// A signature counts only if it is of the whole of these bytes, by a key that may
// sign for a module of this name, and names this module in its trusted comment,
// so that a signed zip under another name is not signed. Signatures and keys are
// bounded in size. An error says what is wrong and what to do; in doubt there is
// one.
//
// The package reads no files; whoever calls it reads them. Its types are plain
// data and its functions hold no state: both are safe for concurrent use.
package trust

import (
	"errors"
	"fmt"
	"strings"
)

// A Policy is what the operator requires of modules. Its toml tags are the keys
// of config.toml. The zero Policy requires nothing.
type Policy struct {
	// Require is what a module must have to be loaded.
	Require Require `toml:"require"`
	// Keys are those whose signatures count, no two with one ID.
	Keys []Key `toml:"keys"`
}

// Check says what is wrong with a policy, all of it.
func (p Policy) Check() error {
	var errs []error
	if p.Require == Signature && len(p.Keys) == 0 {
		errs = append(errs, errors.New(`require is "signature" and there are no keys, so that nothing could be loaded; list those that you trust in keys`))
	}
	first := map[uint64]int{}
	for i, k := range p.Keys {
		if err := k.check(); err != nil {
			errs = append(errs, fmt.Errorf("key %d: %w", i+1, err))
		}
		if other, taken := first[k.public.ID()]; taken {
			errs = append(errs, fmt.Errorf("key %d: has the ID %s of key %d; keep one of them, with all its modules", i+1, k.ID(), other+1))
			continue
		}
		first[k.public.ID()] = i
	}
	return errors.Join(errs...)
}

// Demands tells whether a module with this pin, which may be empty, is loaded
// only if something vouches for its bytes.
func (p Policy) Demands(pin Digest) bool { return p.Require != Nothing || pin != "" }

// A Subject is a module about whose bytes Verify decides.
type Subject struct {
	// Name is the module's name. Case does not matter.
	Name string
	// Pin is the digest that the operator wants; empty is any.
	Pin Digest
	// Signature reads the signature file, of which at most MaxSignature+1 bytes
	// are needed. An error that matches fs.ErrNotExist says that there is none.
	// It is called only if there are keys.
	Signature func() ([]byte, error)
}

// A Proof is what vouches for the bytes of a module.
type Proof struct {
	// Digest is that of the bytes.
	Digest Digest
	// Pinned is whether the operator's pin is this digest.
	Pinned bool
	// Signer is the key whose signature counts; nil if there is none.
	Signer *Key
	// Comment is the trusted comment of the signature that counts.
	Comment string
	// Unsigned is why there is no signature that counts.
	Unsigned error
}

// Verify decides whether the archive may be loaded as this module. The error
// says why not; the Proof is whole in either case.
func (p Policy) Verify(s Subject, archive []byte) (Proof, error) {
	proof := Proof{Digest: DigestOf(archive)}
	proof.Pinned = s.Pin == proof.Digest
	proof.Signer, proof.Comment, proof.Unsigned = p.signer(s, archive)
	switch {
	case s.Pin != "" && !proof.Pinned:
		return proof, fmt.Errorf("its SHA-256 is %s and it is pinned to %s: these are other bytes; restore the file, or pin the new ones if you trust them", proof.Digest, s.Pin)
	case p.Require == Signature && proof.Signer == nil:
		return proof, fmt.Errorf("a signature is required: %w", proof.Unsigned)
	case p.Require == Pin && !proof.Pinned && proof.Signer == nil:
		return proof, fmt.Errorf("a pin or a signature is required: it is not pinned (its SHA-256 is %s), and %w", proof.Digest, proof.Unsigned)
	}
	return proof, nil
}

// signer returns the key whose signature of the archive counts, and the
// signature's trusted comment.
func (p Policy) signer(s Subject, archive []byte) (*Key, string, error) {
	if len(p.Keys) == 0 {
		return nil, "", errors.New("no keys are trusted, so that no signature counts")
	}
	text, err := s.Signature()
	if err != nil {
		return nil, "", unread(s.Name, err)
	}
	sig, err := parseSignature(text)
	if err != nil {
		return nil, "", fmt.Errorf("the signature %w", err)
	}
	key := p.key(sig.id)
	switch {
	case key == nil:
		return nil, "", fmt.Errorf("the signature is by the key with ID %s, which is not trusted; if it should be, add it to keys in [trust]", keyID(sig.id))
	case !key.MayFor(s.Name):
		return nil, "", fmt.Errorf("the signature is by %s, which may sign for %s only and not for %s", key, strings.Join(key.Modules, ", "), s.Name)
	case !sig.verify(key, archive):
		return nil, "", fmt.Errorf("the signature by %s is not of these bytes: the module or the signature was changed or damaged; fetch both again", key)
	}
	if err := names(sig.comment, s.Name); err != nil {
		return nil, "", err
	}
	return key, sig.comment, nil
}

// key returns the key with an ID; nil if there is none.
func (p Policy) key(id uint64) *Key {
	for _, k := range p.Keys {
		if k.public.ID() == id {
			return &k
		}
	}
	return nil
}
