//go:build !unix

package daemon

import "errors"

// An Account is a user whom a process can become, as on Unix.
type Account struct{}

// Unprivileged finds none: the service manager starts the agent as who it is.
func Unprivileged(string) (Account, bool, error) { return Account{}, false, nil }

// Settle is of Unix.
func (Account) Settle() error { return errors.ErrUnsupported }

// Become is of Unix.
func (Account) Become([]string) error { return errors.ErrUnsupported }

// exists is of Unix: elsewhere a service needs no user of its own.
func exists(string) error { return nil }
