package fetch

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/wasmagent/wasmagent/trust"
)

// read reads a zip and its signature from the file system.
func (c Client) read(name string) (Parcel, error) {
	f, size, err := openFile(name)
	if err != nil {
		return Parcel{}, err
	}
	defer f.Close()
	var p Parcel
	if p.Archive, err = c.readAll(f, size); err == nil {
		p.signed(readSignature(name + trust.Extension))
	}
	return p, err
}

// readSignature reads up to one byte more than a signature has.
func readSignature(name string) ([]byte, error) {
	f, _, err := openFile(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, trust.MaxSignature+1))
}

// openFile opens a regular file. The error does not name it.
func openFile(name string) (f *os.File, size int64, err error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, absence("there is no such file")
	case err != nil:
		return nil, 0, err
	case info.IsDir():
		return nil, 0, errors.New("is a directory; pack it and install the zip: wasmagent pack")
	case !info.Mode().IsRegular():
		return nil, 0, errors.New("is no regular file")
	}
	f, err = os.Open(name)
	return f, info.Size(), err
}
