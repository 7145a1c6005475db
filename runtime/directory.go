package runtime

import (
	experimental "github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/guestfs"
	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

// A Directory is a directory or a file of the host that guests can use. Make one
// with Engine.Directory.
type Directory = guestfs.Directory

// DirectoryOptions say what guests can do in a Directory.
type DirectoryOptions = hostfs.Options

// Quota bounds what is in a Directory.
type Quota = hostfs.Quota

// Directory is the directory or the file of the host at path. It is open while
// runs use it, so that it need not be there before, and runs that use it at one
// time share its quota.
func (e *Engine) Directory(path string, o DirectoryOptions) Directory {
	return func(run hostfs.Run) (experimental.FS, func(), error) {
		dir, release, err := e.dirs.Open(path, o)
		if err != nil {
			return nil, nil, err
		}
		return dir.FS(run), release, nil
	}
}
