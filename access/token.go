package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// digestPrefix is what the digest of a token or of a certificate begins with.
const digestPrefix = "sha256:"

// A Digest is the SHA-256 of a token, or of a certificate's DER, which is its
// fingerprint.
type Digest [sha256.Size]byte

// NewToken makes a token of 160 random bits: 40 hexadecimal digits.
func NewToken() string { return randomHex(20) }

// DigestOf is the digest under which a token is kept.
func DigestOf(token string) Digest { return sha256.Sum256([]byte(token)) }

// ParseDigest reads a digest as String writes it. Colons between the digits, as
// openssl prints fingerprints, are fine.
func ParseDigest(text string) (d Digest, err error) {
	digits, found := strings.CutPrefix(text, digestPrefix)
	sum, err := hex.DecodeString(strings.ReplaceAll(digits, ":", ""))
	if !found || err != nil || len(sum) != len(d) {
		return Digest{}, errors.New(`want "sha256:" and the 64 hex digits of a SHA-256`)
	}
	return Digest(sum), nil
}

func (d Digest) String() string { return digestPrefix + hex.EncodeToString(d[:]) }

// randomHex is n random bytes in hexadecimal digits.
func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
