package private

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Read returns what is in a regular file, up to one byte beyond limit, by which
// the caller tells that the file is larger. What accept says of the open file is
// the error; nil accepts every file.
//
// It never waits for another process: what lies in the file's place and is none,
// such as a FIFO or a device, is refused and not read.
func Read(name string, limit int64, accept func(fs.FileInfo) error) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: is no regular file", name)
	}
	if err == nil && accept != nil {
		err = accept(info)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, limit+1))
}
