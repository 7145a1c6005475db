package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Require is what a module must have to be loaded.
type Require uint8

// What can be required.
const (
	Nothing   Require = iota // "none": a module may be unsigned
	Pin                      // "digest": a pin that matches, or a signature
	Signature                // "signature": a signature, whether pinned or not
)

var requirements = [...]string{Nothing: "none", Pin: "digest", Signature: "signature"}

func (r Require) String() string { return requirements[r] }

// MarshalText writes what UnmarshalText reads.
func (r Require) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads "none", "digest" or "signature".
func (r *Require) UnmarshalText(text []byte) error {
	for i, name := range requirements {
		if name == string(text) {
			*r = Require(i)
			return nil
		}
	}
	return fmt.Errorf(`%q: want "none", "digest" or "signature"`, text)
}

// A Digest is the SHA-256 of some bytes in lower-case hex; empty is none.
type Digest string

// DigestOf returns the digest of some bytes.
func DigestOf(data []byte) Digest {
	sum := sha256.Sum256(data)
	return Digest(hex.EncodeToString(sum[:]))
}

// UnmarshalText reads 64 hex digits of either case.
func (d *Digest) UnmarshalText(text []byte) error {
	if sum, err := hex.DecodeString(string(text)); err != nil || len(sum) != sha256.Size {
		return errors.New("is no SHA-256; want its 64 hex digits")
	}
	*d = Digest(strings.ToLower(string(text)))
	return nil
}
