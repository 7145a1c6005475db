package zipmod

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wasmagent/wasmagent/policy"
)

// Pack returns the bytes of the zip that a directory is, with opts.Built in it.
// They depend on nothing but the names and contents of the files (and the
// compressor of the Go release that built this package): entries are sorted,
// their times are 1980-01-01 00:00:00, the earliest that a zip can say, and
// there are no modes. Read validates them.
//
// Everything in the directory belongs to the zip except files and directories
// that begin with a dot, those called node_modules, and the source of the
// programs in opts.Built and opts.Absent. Symbolic links, devices and whatever
// else is neither file nor directory are refused. Nothing outside of the
// directory is read, even if it changes meanwhile.
func Pack(directory string, opts Options) ([]byte, error) {
	root, err := os.OpenRoot(directory)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	limits := opts.Limits.WithDefaults()
	p := packing{root: root, limits: limits, left: int64(limits.Unpacked), files: map[string][]byte{}, source: map[string]bool{}}
	p.leaveOut(maps.Keys(opts.Built))
	p.leaveOut(maps.Keys(opts.Absent))
	if err := fs.WalkDir(root.FS(), ".", p.visit); err != nil {
		return nil, err
	}
	for name, program := range opts.Built {
		if program != nil {
			p.files[name] = program
		}
	}
	if err := p.found.err(); err != nil {
		return nil, err
	}
	return archive(p.files)
}

// A packing collects the files of a directory.
type packing struct {
	root   *os.Root
	limits policy.Limits
	left   int64 // bytes that may still be read
	files  map[string][]byte
	source map[string]bool // directories of programs' source
	found  mistakes
}

// leaveOut marks the source of programs.
func (p *packing) leaveOut(programs iter.Seq[string]) {
	for name := range programs {
		p.source[strings.TrimSuffix(name, path.Ext(name))] = true
	}
}

// belongs tells whether a file or directory of the directory goes into the zip.
func (p *packing) belongs(name string, dir bool) bool {
	base := path.Base(name)
	return !strings.HasPrefix(base, ".") && base != "node_modules" && !(dir && p.source[name])
}

// visit is the fs.WalkDirFunc of a packing.
func (p *packing) visit(name string, d fs.DirEntry, err error) error {
	switch {
	case err != nil:
		return err
	case name == ".":
		return nil
	case !p.belongs(name, d.IsDir()):
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	case d.IsDir():
		return nil
	case d.Type()&fs.ModeSymlink != 0:
		p.found.add(0, fmt.Errorf("%s: is a symbolic link; put the file itself there", name))
		return nil
	case !d.Type().IsRegular():
		p.found.add(0, fmt.Errorf("%s: is a device or another special file; take it away", name))
		return nil
	case len(p.files) >= p.limits.Entries:
		return fmt.Errorf("%s: is one file more than the limit of %d; take some away or raise the limit \"entries\"", name, p.limits.Entries)
	}
	p.files[name], err = p.read(name)
	return err
}

// read reads a file that was a regular one when it was listed. Should it be
// another one by now, nothing of it is read.
func (p *packing) read(name string) ([]byte, error) {
	listed, err := p.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	// Opening must not wait if the file has become a named pipe.
	f, err := p.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	opened, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !opened.Mode().IsRegular() || !os.SameFile(listed, opened) {
		return nil, fmt.Errorf("%s: changed while it was read; try again", name)
	}
	data, err := io.ReadAll(io.LimitReader(f, p.left+1))
	if p.left -= int64(len(data)); p.left < 0 {
		return nil, fmt.Errorf("%s: makes the module larger than the limit of %v; take files away or raise the limit \"unpacked\"", name, p.limits.Unpacked)
	}
	return data, err
}

// archive writes a zip. It compresses fast rather than well: a directory is
// packed at every run of a check that is being written.
func archive(files map[string][]byte) ([]byte, error) {
	firstDay := time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC) // of MS-DOS, whose times zips have
	compressor, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.RegisterCompressor(zip.Deflate, func(to io.Writer) (io.WriteCloser, error) {
		compressor.Reset(to)
		return compressor, nil
	})
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: firstDay})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if _, err := f.Write(files[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	err = w.Close()
	return out.Bytes(), err
}
