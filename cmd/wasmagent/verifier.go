package main

import (
	"errors"
	"fmt"

	"github.com/wasmagent/wasmagent/internal/private"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/trust"
)

// A ruling is what came of verifying a module.
type ruling struct {
	trust.Proof
	refused error // nil if the module may be loaded
}

// An untrustedError is why a module may not be loaded.
type untrustedError struct {
	module string
	digest trust.Digest // empty of a directory
	reason error
}

func (e untrustedError) Error() string {
	return fmt.Sprintf("module %s is not trusted: %v", e.module, e.reason)
}

func (e untrustedError) Unwrap() error { return e.reason }

// errDirectory is why a directory is refused.
var errDirectory = errors.New("is a directory, which carries no signature, and what is loaded must be vouched for; pack and sign it: wasmagent pack, wasmagent sign")

// verifier returns the function by which the bytes of the module at a path are
// verified before they are parsed. It keeps the ruling.
//
// What was a directory is judged by that, for its bytes are only known when
// compilers have run on what is in it.
func (l *library) verifier(path string, dir bool) func(name string, archive []byte) error {
	return func(name string, archive []byte) error {
		r := l.verifyDirectory(name)
		if !dir {
			r = l.verify(name, path, archive)
		}
		l.lock.Lock()
		l.rulings[fold(name)] = r
		l.lock.Unlock()
		if l.lenient && !dir {
			return nil
		}
		return r.refused
	}
}

// verify rules on a zip.
func (l *library) verify(name, path string, archive []byte) *ruling {
	entry, _ := l.config.Module(name)
	return l.rule(name, entry.Pin, archive, func() ([]byte, error) { return private.Read(path+trust.Extension, trust.MaxSignature, nil) })
}

// rule rules on the bytes of a module with a pin and a signature.
func (l *library) rule(name string, pin trust.Digest, archive []byte, signature func() ([]byte, error)) *ruling {
	proof, err := l.config.Trust.Verify(trust.Subject{Name: name, Pin: pin, Signature: signature}, archive)
	if err != nil {
		err = untrustedError{name, proof.Digest, err}
	}
	return &ruling{proof, err}
}

// verifyFile rules on what is at a path, without reading it as a module.
func (l *library) verifyFile(path string) *ruling {
	name := moduleName(path)
	if isDir(path) {
		return l.verifyDirectory(name)
	}
	archive, err := readArchive(path, l.limits(path))
	if err != nil {
		return &ruling{trust.Proof{Unsigned: err}, err}
	}
	return l.verify(name, path, archive)
}

// verifyDirectory rules on a directory.
func (l *library) verifyDirectory(name string) *ruling {
	r := &ruling{Proof: trust.Proof{Unsigned: errDirectory}}
	if entry, _ := l.config.Module(name); l.config.Trust.Demands(entry.Pin) {
		r.refused = untrustedError{name, "", fmt.Errorf("it %w", errDirectory)}
	}
	return r
}

// ruling is the last one on the module of a name; nil of one that was not read.
func (l *library) ruling(name string) *ruling {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.rulings[fold(name)]
}

// signer names who signed the module, for people; empty if nobody did.
func (r *ruling) signer() string {
	if r == nil || r.Signer == nil {
		return ""
	}
	return r.Signer.String()
}

// readArchive reads a zip whole.
func readArchive(path string, limits policy.Limits) ([]byte, error) {
	limit := limits.WithDefaults().Archive
	data, err := private.Read(path, int64(limit), nil)
	if err == nil && int64(len(data)) > int64(limit) {
		err = fmt.Errorf("%s: is larger than the limit of %v; raise the limit \"archive\"", path, limit)
	}
	return data, err
}
