package trust

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"aead.dev/minisign"
)

// A Secret is a minisign secret key, ready to sign.
type Secret struct{ private minisign.PrivateKey }

// NewSecret makes a secret key.
func NewSecret() (Secret, error) {
	_, private, err := minisign.GenerateKey(nil)
	return Secret{private}, err
}

// OpenSecret reads a secret key as minisign writes it. password is asked only if
// the key is encrypted; deriving the key from it takes seconds and up to 1 GiB
// of memory, as minisign means it to.
func OpenSecret(text []byte, password func() (string, error)) (Secret, error) {
	if err := checkSecret(text); err != nil {
		return Secret{}, err
	}
	if !minisign.IsEncrypted(text) {
		var s Secret
		err := s.private.UnmarshalText(text)
		return s, err
	}
	word, err := password()
	if err != nil {
		return Secret{}, err
	}
	private, err := minisign.DecryptKey(word, text)
	if err != nil {
		return Secret{}, errors.New("the password is wrong, or the secret key is damaged")
	}
	return Secret{private}, nil
}

// secretSize is the size of a secret key's binary form in bytes.
const secretSize = 158

// checkSecret refuses what is no secret key, before anybody is asked for its
// password.
func checkSecret(text []byte) error {
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	last := bytes.TrimSpace(lines[len(lines)-1])
	switch key, err := base64.StdEncoding.DecodeString(string(last)); {
	case len(text) > MaxKey:
		return fmt.Errorf("is larger than %d bytes, as no minisign secret key is", MaxKey)
	case len(lines) > 2 || err != nil || len(key) != secretSize || string(key[:2]) != "Ed":
		return errors.New("is no minisign secret key, or is cut off; want the file that wasmagent keygen or minisign -G wrote")
	}
	return nil
}

// String names the key and hides it.
func (s Secret) String() string { return "secret key " + s.Public().ID() }

// Public is the key that verifies the signatures of this one.
func (s Secret) Public() Key { return Key{public: s.private.Public().(minisign.PublicKey)} }

// Encrypt writes the key as minisign does, encrypted under a password. It takes
// seconds and 1 GiB of memory.
func (s Secret) Encrypt(password string) ([]byte, error) {
	text, err := minisign.EncryptKey(password, s.private)
	return append(text, '\n'), err
}

// maxVersion is how many bytes of a version Sign writes.
const maxVersion = 64

// Sign returns the signature file of an archive that is the module of a name.
// The trusted comment says that, the version, which may be empty, and when.
func (s Secret) Sign(archive []byte, module, version string, now time.Time) []byte {
	words := []string{"module=" + module}
	if version != "" {
		// Escaped, for it is the module's own text: it must be no second word.
		words = append(words, "version="+url.QueryEscape(version[:min(len(version), maxVersion)]))
	}
	words = append(words, fmt.Sprintf("timestamp:%d", now.Unix()))
	r := minisign.NewReader(bytes.NewReader(archive))
	_, _ = io.Copy(io.Discard, r) // hashes; reading memory does not fail
	return r.SignWithComments(s.private, strings.Join(words, " "), "signature by wasmagent, key "+s.Public().ID())
}
