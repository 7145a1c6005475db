package trust

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"aead.dev/minisign"
)

// MaxKey is the largest key, public or secret, in bytes, comment included.
const MaxKey = 2 << 10

// A Key is a minisign public key with what it may sign.
type Key struct {
	// Name is what the operator calls it; it may be empty.
	Name string
	// Modules are patterns of the names of the modules that it may sign for;
	// nil is every one. "*", "?" and "[...]" are those of path.Match, and case
	// does not matter.
	Modules []string

	public minisign.PublicKey
}

// ParseKey reads a public key: the one line of base64, or the two lines of the
// .pub file that minisign writes.
func ParseKey(text string) (Key, error) {
	if len(text) > MaxKey {
		return Key{}, fmt.Errorf("is larger than %d bytes, as no minisign public key is", MaxKey)
	}
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")), "\n")
	last := lines[len(lines)-1]
	if len(lines) > 2 || len(lines) == 2 && !strings.HasPrefix(lines[0], "untrusted comment: ") {
		return Key{}, errors.New("is no minisign public key; want the line that begins with RW, or the .pub file with it")
	}
	var k Key
	if err := k.public.UnmarshalText([]byte(last)); err != nil {
		return Key{}, errors.New("is no minisign public key, or is cut off; want the line of 56 characters that begins with RW")
	}
	return k, nil
}

// ID is the key's ID in hex, as minisign 0.12 writes it: 16 digits.
func (k Key) ID() string { return keyID(k.public.ID()) }

func keyID(id uint64) string { return fmt.Sprintf("%016X", id) }

// Line is the key as one line of base64.
func (k Key) Line() string { return k.public.String() }

// File is the key as minisign writes it into a .pub file.
func (k Key) File() []byte {
	return []byte("untrusted comment: minisign public key " + k.ID() + "\n" + k.Line() + "\n")
}

// String names the key for people.
func (k Key) String() string {
	if k.Name == "" {
		return "key " + k.ID()
	}
	return fmt.Sprintf("%s (key %s)", k.Name, k.ID())
}

// MayFor tells whether the key may sign for the module of a name.
func (k Key) MayFor(module string) bool {
	for _, pattern := range k.Modules {
		if ok, err := path.Match(fold(pattern), fold(module)); ok && err == nil {
			return true
		}
	}
	return k.Modules == nil
}

// check says what is wrong with the patterns.
func (k Key) check() error {
	if k.Modules != nil && len(k.Modules) == 0 {
		return errors.New("modules is empty, so that it may sign for none; leave modules out to mean every module")
	}
	var errs []error
	for _, pattern := range k.Modules {
		if _, err := path.Match(fold(pattern), ""); err != nil || pattern == "" {
			errs = append(errs, fmt.Errorf("modules: %q is no pattern of names; want one such as \"web-*\"", pattern))
		}
	}
	return errors.Join(errs...)
}

// fold is the form of a name that ignores case.
func fold(name string) string { return strings.ToLower(name) }
