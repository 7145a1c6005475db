package access

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/internal/private"
)

// MaxFile is the largest users.toml in bytes.
const MaxFile = 1 << 20

// A User is one who may ask.
type User struct {
	Name string
	// Password is the hash of the user's; zero if there is none.
	Password Hash
	// Tokens are the digests of the user's.
	Tokens []Digest
	// Certificate is the common name of the user's client certificate, or its
	// Digest as a text; empty if there is none.
	Certificate string
	// Roles are the names of the user's.
	Roles []string
}

// Accounts are the users and the roles of one users.toml. They do not change once
// they are read. Nil Accounts have no user.
type Accounts struct {
	users  map[string]User
	roles  map[string]Role // the built-in ones too
	tokens map[Digest]string
	certs  map[string]string // the user's name by User.Certificate
}

// Load reads a users.toml. A file that other users than its owner and its group
// can read, or others than its owner can write, is refused.
func Load(name string) (*Accounts, error) {
	text, err := read(name)
	if err != nil {
		return nil, err
	}
	return Parse(name, text)
}

// read returns the text of a users.toml.
func read(name string) (string, error) {
	text, err := private.Read(name, MaxFile, func(info fs.FileInfo) error {
		if private.Exposed(info) {
			return fmt.Errorf("%s: others can read or write it (mode %#o), and it says who may ask the agent; run: chmod 600 %[1]s", name, info.Mode().Perm())
		}
		return nil
	})
	if err == nil && len(text) > MaxFile {
		err = fmt.Errorf("%s: larger than %d bytes; this is no users.toml", name, MaxFile)
	}
	return string(text), err
}

// Users are all users, sorted by name.
func (a *Accounts) Users() []User {
	if a == nil {
		return nil
	}
	users := make([]User, 0, len(a.users))
	for _, u := range a.users {
		users = append(users, u)
	}
	slices.SortFunc(users, func(x, y User) int { return strings.Compare(x.Name, y.Name) })
	return users
}

// User is the user of a name.
func (a *Accounts) User(name string) (u User, found bool) {
	if a != nil {
		u, found = a.users[name]
	}
	return u, found
}

// identity is a user as an identity.
func (a *Accounts) identity(u User, by string) Identity {
	i := Identity{User: u.Name, By: by, Roles: u.Roles, proof: u.proof()}
	for _, name := range u.Roles {
		i.grants = append(i.grants, a.roles[name])
	}
	return i
}

// index finds the users by their tokens and certificates. A token or a
// certificate of two users is an error.
func (a *Accounts) index() error {
	a.tokens, a.certs = map[Digest]string{}, map[string]string{}
	var errs []error
	for _, u := range a.Users() {
		for _, token := range u.Tokens {
			if other, taken := a.tokens[token]; taken {
				errs = append(errs, fmt.Errorf("users.%s.tokens: %s is a token of %s already; a token is one user's", u.Name, token, other))
			}
			a.tokens[token] = u.Name
		}
		if u.Certificate == "" {
			continue
		}
		if other, taken := a.certs[u.Certificate]; taken {
			errs = append(errs, fmt.Errorf("users.%s.certificate: %q is the certificate of %s already; a certificate is one user's", u.Name, u.Certificate, other))
		}
		a.certs[u.Certificate] = u.Name
	}
	return errors.Join(errs...)
}
