package access

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/wasmagent/wasmagent/internal/private"
)

// Create makes a users.toml with one user, LegacyUser in the role "full", for a
// first start, and returns the password, which is kept nowhere. If there is a file
// already, that stays, and the password is empty; if several processes make it at
// one time, one of them has the password.
func Create(name string) (password string, err error) {
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	err = edit(name, func(d draft) (draft, error) {
		if d.exists {
			return d, nil
		}
		password = rand.Text()
		return d.put(User{Name: LegacyUser, Password: NewHash(password), Roles: []string{"full"}})
	})
	if err != nil {
		return "", err
	}
	return password, nil
}

// Put writes a user to a users.toml, in the place of the one of the same name if
// there is one. The file is made if it is missing. Everything else in it stays as
// it is, comments included; all is written or nothing, and whoever reads the file
// meanwhile sees it before or after. Its mode and its owner stay.
func Put(name string, u User) error {
	return edit(name, func(d draft) (draft, error) { return d.put(u) })
}

// Remove takes a user out of a users.toml, as Put puts one in. It is an error if
// there is no such user.
func Remove(name, user string) error {
	return edit(name, func(d draft) (draft, error) { return d.remove(user) })
}

// edit changes a file. Those who do so at one time take turns.
func edit(name string, change func(draft) (draft, error)) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	} else if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	unlock, err := lockedfile.MutexAt(name + ".lock").Lock()
	if err != nil {
		return err
	}
	defer unlock()
	before, err := open(name)
	if err != nil {
		return err
	}
	after, err := change(before)
	if err == nil && after.text != before.text {
		err = after.write()
	}
	return err
}

// open reads a file as a draft; one that is missing is only a head.
func open(name string) (draft, error) {
	text, err := read(name)
	d := draft{name: name, text: text, exists: err == nil}
	if errors.Is(err, fs.ErrNotExist) {
		d.text, err = head, nil
	}
	if err == nil {
		d.Accounts, err = Parse(name, d.text)
	}
	return d, err
}

// write puts the draft in the place of the file.
func (d draft) write() error {
	return private.Replace(d.name, func(f *os.File) error {
		_, err := f.WriteString(d.text)
		return errors.Join(err, likeness(f, d.name))
	})
}

// with is the draft with another text, which must say what it should.
func (d draft) with(text string, users map[string]User) (draft, error) {
	after, err := Parse(d.name, text)
	if err != nil {
		return draft{}, fmt.Errorf("nothing is changed, as this would be wrong: %w", err)
	}
	if !maps.EqualFunc(after.users, users, func(a, b User) bool { return reflect.DeepEqual(a.bare(), b.bare()) }) || !reflect.DeepEqual(after.roles, d.roles) {
		return draft{}, errByHand
	}
	return draft{Accounts: after, name: d.name, text: text, exists: d.exists}, nil
}

// errByHand is why a file is not changed.
var errByHand = errors.New("nothing is changed, as the file is written in a way that cannot be edited safely; give each user a table [users.NAME] of its own, or change it by hand")

// bare is a user for comparison: no list is as good as an empty one.
func (u User) bare() User {
	u.Tokens, u.Roles = slices.Concat([]Digest{}, u.Tokens), slices.Concat([]string{}, u.Roles)
	return u
}
