package hostfs

import (
	"io/fs"
	"os"
	"strings"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
	"golang.org/x/sys/windows"
)

// nonblock is nothing: opening does not wait here.
const nonblock = 0

// isAlias tells whether a name may be another spelling of one that the host shows:
// dots and blanks at its end are dropped, and a short name has a tilde and a digit.
// https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
func isAlias(name string) bool {
	if strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return name != "."
	}
	_, after, found := strings.Cut(name, "~")
	return found && after != "" && after[0] >= '0' && after[0] <= '9'
}

// identity is the volume and the index of a file, which its description does not
// tell. Both are 0 for one that cannot be opened, or is not to be.
func identity(open opener, _ fs.FileInfo) (device, inode uint64) {
	if open == nil {
		return 0, 0
	}
	f, err := open()
	if err != nil {
		return 0, 0
	}
	defer f.Close()
	var info windows.ByHandleFileInformation
	if windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &info) != nil {
		return 0, 0
	}
	return uint64(info.VolumeSerialNumber), uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow)
}

// flush has the host store what was written to a file. Directories are stored at
// once.
func flush(f *os.File) experimental.Errno {
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return errnoOf(err)
	}
	return errnoOf(f.Sync())
}
