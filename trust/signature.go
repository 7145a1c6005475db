package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"aead.dev/minisign"
)

// Extension is what the name of a signature file has after that of the zip.
const Extension = ".minisig"

// MaxSignature is the largest signature file in bytes: minisign's own bounds are
// 1 KiB for the untrusted comment and 8 KiB for the trusted one.
const MaxSignature = 10 << 10

// A signature is a minisign signature file that has been taken apart. Nothing of
// it can be trusted before verify.
type signature struct {
	text    []byte
	id      uint64 // of the key
	comment string // the trusted one
}

// parseSignature reads a signature file. The file's format is described at
// https://jedisct1.github.io/minisign/#signature-format.
func parseSignature(text []byte) (signature, error) {
	if len(text) > MaxSignature {
		return signature{}, fmt.Errorf("is larger than %d bytes, as no minisign signature is", MaxSignature)
	}
	lines := strings.Split(strings.TrimRight(string(text), "\r\n"), "\n")
	if len(lines) != 4 {
		return signature{}, fmt.Errorf("has %d lines, and a minisign signature has 4; copy it again, or sign again", len(lines))
	}
	var s minisign.Signature
	if err := s.UnmarshalText(text); err != nil {
		return signature{}, fmt.Errorf("is damaged (%w); copy it again, or sign again", err)
	}
	if s.Algorithm != minisign.HashEdDSA {
		return signature{}, errors.New("is in minisign's legacy format; sign again, with wasmagent sign or with minisign 0.10 or later and without -l")
	}
	if !printable(s.TrustedComment) {
		return signature{}, errors.New("has control characters in its trusted comment; sign again without them")
	}
	return signature{text, s.KeyID, s.TrustedComment}, nil
}

// printable tells whether a comment can be shown on a terminal.
func printable(comment string) bool {
	return utf8.ValidString(comment) && !strings.ContainsFunc(comment, func(r rune) bool {
		return r != '\t' && unicode.In(r, unicode.Cc, unicode.Bidi_Control)
	})
}

// verify tells whether this is the key's signature of the archive, and the
// comment is the key's.
func (s signature) verify(k *Key, archive []byte) bool {
	return minisign.Verify(k.public, archive, s.text)
}

// names wants a trusted comment to name the module, and no other one. A module
// is named by a word module=NAME, which Sign writes, and by file:NAME.zip
// between tabs, which minisign writes unless it is given a comment.
func names(comment, module string) error {
	var named []string
	for field := range strings.SplitSeq(comment, "\t") {
		if file, ok := strings.CutPrefix(field, "file:"); ok {
			named = append(named, withoutZip(file))
			continue
		}
		for _, word := range strings.Fields(field) {
			if name, ok := strings.CutPrefix(word, "module="); ok {
				named = append(named, name)
			}
		}
	}
	if len(named) == 0 {
		return fmt.Errorf("the signature does not say which module it is of; sign again with wasmagent sign, or with minisign -t 'module=%s'", module)
	}
	for _, name := range named {
		if fold(name) != fold(module) {
			return fmt.Errorf("the signature is of the module %.128q and this one is named %s; give the zip back its name, or sign it under this one", name, module)
		}
	}
	return nil
}

// withoutZip cuts ".zip" from a file name, whatever its case.
func withoutZip(name string) string {
	if cut := len(name) - len(".zip"); cut > 0 && strings.EqualFold(name[cut:], ".zip") {
		return name[:cut]
	}
	return name
}

// unread explains why a signature could not be read.
func unread(module string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no signature %s.zip%s beside it; fetch that too, or sign it: wasmagent sign", module, Extension)
	}
	return fmt.Errorf("the signature cannot be read: %w", err)
}
