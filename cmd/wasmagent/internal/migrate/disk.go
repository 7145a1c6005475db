package migrate

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wasmagent/wasmagent/internal/private"
)

// The bounds of what is read: the files of a configuration, the size of each, the
// settings of all together, and the entries of a directory.
const (
	maxFiles    = 1000
	maxFile     = 1 << 20
	maxSettings = 4096
	maxEntries  = 10000
)

const byteOrderMark = "\ufeff"

// A disk is where files are read from.
type disk struct {
	// read returns a regular file of at most maxFile bytes.
	read func(name string) ([]byte, error)
	// list returns the regular files in a directory and below it, sorted.
	list func(dir string) ([]string, error)
}

// machine is the disk of this machine.
var machine = disk{read: readFile, list: listDir}

func readFile(name string) ([]byte, error) {
	content, err := private.Read(name, maxFile, nil)
	if err == nil && len(content) > maxFile {
		err = fmt.Errorf("%s: larger than %d bytes", name, maxFile)
	}
	return content, err
}

var errTooMany = fmt.Errorf("more than %d files", maxEntries)

func listDir(dir string) ([]string, error) {
	var names []string
	entries := 0
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if entries++; entries > maxEntries {
			return errTooMany
		}
		if err == nil && !e.IsDir() {
			names = append(names, name)
		}
		return err
	})
	slices.Sort(names)
	return names, err
}

// text reads a file that people write.
func (d disk) text(name string) (string, error) {
	content, err := d.read(name)
	if err != nil {
		return "", err
	}
	text := string(content)
	switch {
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"):
		return "", fmt.Errorf("%s: %w", name, errUTF16)
	case strings.IndexByte(text, 0) >= 0:
		return "", fmt.Errorf("%s: this is no text", name)
	case !utf8.ValidString(text):
		text = latin1(text)
	}
	return strings.TrimPrefix(text, byteOrderMark), nil
}

// latin1 reads bytes as the characters of ISO 8859-1, as old editors write them.
func latin1(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteRune(rune(text[i]))
	}
	return b.String()
}

// why is an error about a file in few words.
func why(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
