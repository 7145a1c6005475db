package access

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The parameters of new hashes: OWASP's first choice.
// https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
const (
	hashMemory = 19 << 10 // KiB
	hashTime   = 2
	hashLanes  = 1
	hashSalt   = 16 // bytes
	hashSum    = 32 // bytes
)

// The bounds of hashes that are read: a verification takes at most 256 MiB.
const (
	maxHashMemory = 256 << 10 // KiB
	maxHashTime   = 16
	maxHashLanes  = 16
	maxHash       = 512 // bytes of the text
)

// MaxPassword is the longest password in bytes.
const MaxPassword = 1024

// A Hash is a password's argon2id hash. The zero Hash is no password's.
type Hash struct {
	memory    uint32 // KiB
	time      uint32
	lanes     uint8
	salt, sum string
}

// NewHash hashes a password under a salt of its own. It takes 19 MiB and some
// tens of milliseconds.
func NewHash(password string) Hash {
	salt := make([]byte, hashSalt)
	rand.Read(salt) // never fails
	h := Hash{memory: hashMemory, time: hashTime, lanes: hashLanes, salt: string(salt), sum: strings.Repeat("\x00", hashSum)}
	h.sum = string(h.of(password))
	return h
}

// ParseHash reads a hash as String writes it.
func ParseHash(text string) (Hash, error) {
	fields := strings.Split(text, "$")
	if len(text) > maxHash || len(fields) != 6 || fields[0] != "" || fields[1] != "argon2id" || fields[2] != "v=19" {
		return Hash{}, errors.New(`want an argon2id hash, "$argon2id$v=19$m=...,t=...,p=...$SALT$HASH", which wasmagent user makes`)
	}
	var h Hash
	if _, err := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.lanes); err != nil || h.parameters() != fields[3] {
		return Hash{}, fmt.Errorf("the parameters %.40q of the hash: want m=MEMORY,t=TIME,p=LANES", fields[3])
	}
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(fields[4])
	sum, err2 := base64.RawStdEncoding.Strict().DecodeString(fields[5])
	if errors.Join(err1, err2) != nil {
		return Hash{}, errors.New("the salt or the sum of the hash is not in base64 without padding")
	}
	h.salt, h.sum = string(salt), string(sum)
	return h, h.check()
}

// check wants a hash to be as costly as it may be, and as long as it must be.
func (h Hash) check() error {
	switch {
	case h.lanes < 1 || h.lanes > maxHashLanes || h.time < 1 || h.time > maxHashTime:
		return fmt.Errorf("the parameters %s of the hash: want t from 1 to %d and p from 1 to %d", h.parameters(), maxHashTime, maxHashLanes)
	case h.memory < 8*uint32(h.lanes) || h.memory > maxHashMemory:
		return fmt.Errorf("the parameters %s of the hash: want m from 8 times p to %d (KiB)", h.parameters(), maxHashMemory)
	case len(h.salt) < 8 || len(h.salt) > 64 || len(h.sum) < 16 || len(h.sum) > 64:
		return fmt.Errorf("a salt of %d and a sum of %d bytes in the hash: want 8 to 64 and 16 to 64", len(h.salt), len(h.sum))
	}
	return nil
}

func (h Hash) parameters() string { return fmt.Sprintf("m=%d,t=%d,p=%d", h.memory, h.time, h.lanes) }

// String is the hash in the PHC string format; empty of the zero Hash.
// https://github.com/P-H-C/phc-string-format
func (h Hash) String() string {
	if h == (Hash{}) {
		return ""
	}
	text := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$%s$%s$%s", argon2.Version, h.parameters(), text([]byte(h.salt)), text([]byte(h.sum)))
}

// Verify tells whether the hash is that of a password. It takes the memory and
// the time that the hash says.
func (h Hash) Verify(password string) bool {
	return h != (Hash{}) && subtle.ConstantTimeCompare(h.of(password), []byte(h.sum)) == 1
}

// of is the sum of a password.
func (h Hash) of(password string) []byte {
	return argon2.IDKey([]byte(password), []byte(h.salt), h.time, h.memory, h.lanes, uint32(len(h.sum)))
}

// decoy is a hash that no password has and that takes as long to verify as the
// costliest of some hashes.
func decoy(hashes []Hash) Hash {
	d := Hash{memory: hashMemory, time: hashTime, lanes: hashLanes}
	for i, h := range hashes {
		if i == 0 || uint64(h.memory)*uint64(h.time) > uint64(d.memory)*uint64(d.time) {
			d = h
		}
	}
	secret := make([]byte, hashSalt+hashSum)
	rand.Read(secret) // never fails
	d.salt, d.sum = string(secret[:hashSalt]), string(secret[hashSalt:])
	return d
}
