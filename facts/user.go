package facts

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
)

// Users is who is logged in.
type Users struct {
	// Users is each login, sorted by name, terminal and time.
	Users []User `json:"users"`
}

// User is one login; a user may have several.
type User struct {
	// Name is the user's login name.
	Name string `json:"name"`
	// Terminal is where they are logged in, such as "tty1", "pts/0" or "console".
	Terminal string `json:"terminal,omitempty"`
	// Host is where they come from, if from elsewhere.
	Host string `json:"host,omitempty"`
	// LoginTimeSeconds is when they logged in.
	LoginTimeSeconds *float64 `json:"login_time_seconds,omitempty"`
}

func readUsers(ctx context.Context) (Users, error) {
	list, err := logins(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Users{}, err
	}
	// Without a record of logins, as in a container, nobody has logged in.
	if list == nil {
		list = []User{}
	}
	slices.SortFunc(list, func(a, b User) int {
		return cmp.Or(
			cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Terminal, b.Terminal),
			cmp.Compare(a.login(), b.login()))
	})
	return Users{list}, nil
}

func (u User) login() float64 {
	if u.LoginTimeSeconds == nil {
		return 0
	}
	return *u.LoginTimeSeconds
}
