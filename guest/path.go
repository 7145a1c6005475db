package guest

import (
	"errors"
	"io/fs"
	"os"

	"github.com/wasmagent/wasmagent/check"
)

// A pathError says what an error means where a path is a capability. It matches
// what the system said.
type pathError struct {
	path string
	err  error
}

// Explain puts the error of a file operation into words, where the file is one that
// the operator grants, such as one below /files or /state. The error still matches
// what the system said; nil stays nil. The functions of this package have done so
// with theirs.
func Explain(path string, err error) error {
	if err == nil {
		return nil
	}
	return &pathError{path, err}
}

func (e *pathError) Unwrap() error { return e.err }

func (e *pathError) Error() string {
	switch {
	case errors.Is(e.err, fs.ErrNotExist) && !inAgent:
		return e.path + ": not there; it exists for a WebAssembly program inside the agent"
	case errors.Is(e.err, fs.ErrNotExist):
		return e.path + `: not granted, or not there; "permissions" in module.json and "allow" in config.toml must both match it`
	case errors.Is(e.err, fs.ErrPermission):
		return e.path + ": refused; wasmagent run --trace says why"
	}
	cause := e.err
	if system, ok := errors.AsType[*fs.PathError](cause); ok {
		cause = system.Err // which does not say the path again
	}
	return e.path + ": " + words(cause)
}

// NotGranted tells whether an error is about a path that is not there for this
// program, or that it may not use: an operator's matter, not that of the server
// or the file behind it.
func NotGranted(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}

// Unreachable is what a check answers about a server that gave it none: CRITICAL,
// with the error as the text. An error that is not the server's, one that
// NotGranted or TimedOut matches, stays an error.
func Unreachable(err error) (check.Result, error) {
	if NotGranted(err) || TimedOut(err) {
		return check.Result{}, err
	}
	return check.Result{State: check.StateCritical, Text: err.Error()}, nil
}

// read reads a file whole.
func read(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	return data, Explain(path, err)
}
