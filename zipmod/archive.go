package zipmod

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/policy"
)

// manifestName is the file that makes a zip a module.
const manifestName = "module.json"

// unpack returns the files of an archive, sorted by name.
func unpack(data []byte, limits policy.Limits) ([]File, error) {
	entries, err := layout(data, limits)
	if err != nil {
		return nil, err
	}
	if err := checkEntries(entries, limits); err != nil {
		return nil, err
	}
	files, err := inflateAll(entries)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return files, nil
}

// checkEntries lists what is wrong with the headers of an archive.
func checkEntries(entries []entry, limits policy.Limits) error {
	var found mistakes
	names, unpacked := make(tree, len(entries)), int64(0)
	for i := range entries {
		e := &entries[i]
		unpacked += int64(e.UncompressedSize64)
		if err := e.check(names, limits); err != nil {
			found.add(0, e.errorf("%w", err))
		}
	}
	if unpacked > min(int64(limits.Unpacked), math.MaxInt) {
		found.add(0, fmt.Errorf("archive: holds more than the limit of %v; leave files out or raise the limit \"unpacked\"", limits.Unpacked))
	}
	if !slices.ContainsFunc(entries, func(e entry) bool { return e.Name == manifestName }) {
		found.add(0, noManifest(names[fold(manifestName)], entries))
	}
	return found.err()
}

// noManifest explains what is wrong with an archive that has no file of the name
// module.json at its root. What is there may have almost that name.
func noManifest(there place, entries []entry) error {
	if there.name != "" {
		return fmt.Errorf("archive: has %q; it must be a file called %q", there.name, manifestName)
	}
	for _, e := range entries {
		if path.Base(e.Name) == manifestName {
			return fmt.Errorf("archive: has no %s but %.200q; pack the contents of the directory, not the directory", manifestName, e.Name)
		}
	}
	return fmt.Errorf("archive: has no %s at its root, so it is no module; add one", manifestName)
}

// check tells what is wrong with a header and puts its name into the tree.
func (e *entry) check(names tree, limits policy.Limits) error {
	name, dir := strings.CutSuffix(e.Name, "/")
	if err := checkName(name); err != nil {
		return err
	}
	if err := e.checkMode(dir); err != nil {
		return err
	}
	if err := e.checkContent(dir, limits); err != nil {
		return err
	}
	return names.add(name, fold(name), place{name: name, dir: dir, listed: true})
}

// checkMode refuses whatever is no file or directory. It looks at the Unix mode
// whichever system the header claims to be from.
func (e *entry) checkMode(dir bool) error {
	const (
		typeMask  = 0o170000
		symlink   = 0o120000
		regular   = 0o100000
		directory = 0o040000
		dosDir    = 0x10
	)
	mode := e.ExternalAttrs >> 16 & typeMask
	switch {
	case mode == symlink:
		return errors.New("is a symbolic link; put the file itself there")
	case mode != 0 && mode != regular && mode != directory:
		return errors.New("is a device or another special file; leave it out")
	case !dir && (mode == directory || e.ExternalAttrs&dosDir != 0):
		return errors.New("is a directory whose name does not end in \"/\"; pack the zip again")
	}
	return nil
}

func (e *entry) checkContent(dir bool, limits policy.Limits) error {
	const emptyDeflated = 2 // what some tools write for a directory
	switch {
	case e.Flags&flagEncrypted != 0:
		return errors.New("is encrypted; pack it without a password")
	case e.Method != zip.Store && e.Method != zip.Deflate:
		return fmt.Errorf("is compressed by method %d; pack it with deflate or stored", e.Method)
	case dir && (e.UncompressedSize64 > 0 || len(e.raw) > emptyDeflated):
		return errors.New("is a directory with content; pack the zip again")
	case int64(e.UncompressedSize64) > int64(len(e.raw))*int64(limits.Ratio):
		return fmt.Errorf("is compressed more than %d times; store it uncompressed or raise the limit \"ratio\"", limits.Ratio)
	}
	return nil
}

// inflateAll returns the files of checked entries.
func inflateAll(entries []entry) ([]File, error) {
	var found mistakes
	files := make([]File, 0, len(entries))
	inflater := flate.NewReader(nil)
	for i := range entries {
		e := &entries[i]
		if strings.HasSuffix(e.Name, "/") {
			continue
		}
		data, err := e.content(inflater)
		if err != nil {
			found.add(0, e.errorf("%w; copy or pack the zip again", err))
		}
		files = append(files, File{Name: e.Name, Data: data, ModTime: withinZip(e.Modified)})
	}
	return files, found.err()
}

// content returns the entry's bytes. They are as many as its header declares,
// which checkEntries has held against the limits, or there is an error.
func (e *entry) content(inflater io.ReadCloser) ([]byte, error) {
	raw := bytes.NewReader(e.raw)
	var r io.Reader = raw
	if e.Method == zip.Deflate {
		if err := inflater.(flate.Resetter).Reset(raw, nil); err != nil {
			return nil, err
		}
		r = inflater
	}
	data := make([]byte, e.UncompressedSize64)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("is damaged or shorter than its header says (%w)", err)
	}
	if _, err := io.ReadFull(r, make([]byte, 1)); err != io.EOF {
		return nil, errors.New("is damaged or longer than its header says")
	}
	if raw.Len() > 0 {
		return nil, fmt.Errorf("has %d bytes after its content", raw.Len())
	}
	if crc32.ChecksumIEEE(data) != e.CRC32 {
		return nil, errors.New("is damaged: its checksum is wrong")
	}
	return data, nil
}

// The years that a zip's own time stamps can say.
var (
	firstTime = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Date(2107, time.December, 31, 23, 59, 58, 0, time.UTC)
)

func withinZip(t time.Time) time.Time {
	if t = t.UTC(); t.Before(firstTime) {
		return firstTime
	}
	if t.After(lastTime) {
		return lastTime
	}
	return t
}
