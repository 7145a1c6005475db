package hostkey

import (
	"fmt"
	"io/fs"

	"github.com/wasmagent/wasmagent/internal/private"
)

// maxFile is the largest file in bytes: a bundle of authorities has some 200 KiB.
const maxFile = 4 << 20

// readFile returns the contents of a file of at most maxFile bytes.
func readFile(name string) ([]byte, error) { return read(name, nil) }

// readSecret does so with a file that must keep a secret.
func readSecret(name string) ([]byte, error) {
	return read(name, func(info fs.FileInfo) error {
		if private.Exposed(info) {
			return fmt.Errorf("%s: others can read or write this key (mode %#o); run: chmod 600 %[1]s", name, info.Mode().Perm())
		}
		return nil
	})
}

func read(name string, accept func(fs.FileInfo) error) ([]byte, error) {
	data, err := private.Read(name, maxFile, accept)
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s: larger than %d bytes; this holds no certificates", name, maxFile)
	}
	return data, err
}
