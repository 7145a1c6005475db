package hostkey

import (
	"fmt"
	"io"
	"os"

	"github.com/wasmagent/wasmagent/internal/private"
)

// maxFile is the largest file in bytes: a bundle of authorities has some 200 KiB.
const maxFile = 4 << 20

// readFile returns the contents of a file of at most maxFile bytes.
func readFile(name string) ([]byte, error) {
	return read(name, func(os.FileInfo) bool { return false })
}

// readSecret does so with a file that must keep a secret.
func readSecret(name string) ([]byte, error) { return read(name, private.Exposed) }

func read(name string, exposed func(os.FileInfo) bool) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is no regular file", name)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s: larger than %d bytes; this holds no certificates", name, maxFile)
	case exposed(info):
		return nil, fmt.Errorf("%s: others can read or write this key (mode %#o); run: chmod 600 %[1]s", name, info.Mode().Perm())
	}
	return io.ReadAll(io.LimitReader(f, maxFile))
}
