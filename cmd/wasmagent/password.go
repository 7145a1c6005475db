package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wasmagent/wasmagent/internal/private"
)

// maxPassword is the longest password in bytes, as it is for minisign.
const maxPassword = 1024

// passwordFlag adds --password-file to a command.
func passwordFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "password-file", "", "read the password from the first line of this `FILE` instead of asking for it; - is standard input")
}

// newPassword asks for the password of a key or a user that is new, twice where
// somebody types it.
func (a *app) newPassword(file string) (string, error) {
	password, err := a.password(file, "New password: ")
	if err != nil || file != "" {
		return password, err
	}
	again, err := a.password(file, "The same again: ")
	if err == nil && again != password {
		err = errors.New("the two passwords differ; try again")
	}
	return password, err
}

// password reads a password from a file, or asks for it on the terminal.
func (a *app) password(file, prompt string) (string, error) {
	line, err := a.passwordLine(file, prompt)
	switch {
	case err != nil:
		return "", fmt.Errorf("the password: %w", err)
	case len(line) == 0:
		return "", errors.New("the password is empty; give one")
	case len(line) > maxPassword:
		return "", fmt.Errorf("the password is longer than %d bytes", maxPassword)
	}
	return string(line), nil
}

func (a *app) passwordLine(file, prompt string) (line []byte, err error) {
	switch file {
	case "":
		if !term.IsTerminal(int(a.stdin.Fd())) {
			return nil, errors.New("there is no terminal to ask for it on; give --password-file FILE, or - for standard input")
		}
		fmt.Fprint(a.stderr, prompt)
		defer fmt.Fprintln(a.stderr)
		return term.ReadPassword(int(a.stdin.Fd()))
	case "-":
		line, err = io.ReadAll(io.LimitReader(a.stdin, maxPassword+2))
	default:
		line, err = private.Read(file, maxPassword+1, nil)
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), err
}
