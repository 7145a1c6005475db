package main

import (
	"archive/tar"
	"archive/zip"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A file is one of an archive or a package. Without a source it is a directory.
type file struct {
	name  string // its path, without a leading slash
	from  string // where its content is
	mode  fs.FileMode
	owner int // of a container's files; 0 is root
}

// sorted are files in the order of their names, in which a directory is before what
// is in it.
func sorted(list []file) []file {
	return slices.SortedFunc(slices.Values(list), func(a, b file) int { return cmp.Compare(a.name, b.name) })
}

// documents are the documents of the project in a directory of an archive.
func (r release) documents(dir string) (list []file, err error) {
	names, err := filepath.Glob(filepath.Join(r.source, "docs", "*"))
	if err != nil {
		return nil, err
	}
	for _, name := range append(names, filepath.Join(r.source, "README.md"), filepath.Join(r.source, "config.toml")) {
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() {
			list = append(list, file{name: path.Join(dir, filepath.Base(name)), from: name, mode: 0o644})
		}
	}
	return list, nil
}

// archive writes the agent with its documents for a system without packages: a zip for
// Windows, else a tar. All is in one directory.
func (r release) archive(t target, agent string) (name string, err error) {
	top := fmt.Sprintf("wasmagent_%s_%s_%s", r.version, t.system, t.arch)
	list, err := r.documents(top + "/docs")
	if err != nil {
		return "", err
	}
	list = append(list,
		file{name: top + "/" + filepath.Base(agent), from: agent, mode: 0o755},
		file{name: top + "/config.toml", from: r.config(), mode: 0o644})
	if t.system == "windows" {
		return top + ".zip", r.create(top+".zip", func(w io.Writer) error { return writeZip(w, sorted(list), r.time) })
	}
	return top + ".tar.gz", r.create(top+".tar.gz", func(w io.Writer) error { return writeTar(w, sorted(list), r.time) })
}

// config is the configuration that is installed.
func (r release) config() string { return filepath.Join(r.source, "packaging", "config.toml") }

// nonroot is the user of the container, who has no name there.
const nonroot = 65532

// container writes the root file system of a container, whose image Containerfile
// makes.
func (r release) container(t target, agent string) (name string, err error) {
	list := []file{
		{name: "etc/wasmagent/config.toml", from: r.config(), mode: 0o644},
		{name: "etc/wasmagent/modules", mode: 0o755},
		{name: "tmp", mode: 0o777 | fs.ModeSticky},
		{name: "usr/bin/wasmagent", from: agent, mode: 0o755},
		{name: "var/cache/wasmagent", mode: 0o700, owner: nonroot},
		{name: "var/lib/wasmagent", mode: 0o700, owner: nonroot},
		{name: "var/log/wasmagent", mode: 0o700, owner: nonroot},
	}
	name = fmt.Sprintf("wasmagent_%s_container_%s.tar.gz", r.version, t.arch)
	return name, r.create(name, func(w io.Writer) error { return writeTar(w, list, r.time) })
}

// create writes a file of the release.
func (r release) create(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(filepath.Join(r.out, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func writeZip(w io.Writer, list []file, at time.Time) error {
	archive := zip.NewWriter(w)
	for _, f := range list {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at}
		header.SetMode(f.mode)
		entry, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if err := f.copyTo(entry); err != nil {
			return err
		}
	}
	return archive.Close()
}

func writeTar(w io.Writer, list []file, at time.Time) error {
	compressed := gzip.NewWriter(w)
	archive := tar.NewWriter(compressed)
	for _, f := range list {
		header := &tar.Header{Name: f.name, Mode: int64(f.mode.Perm()), Uid: f.owner, Gid: f.owner, ModTime: at, Format: tar.FormatPAX}
		if f.mode&fs.ModeSticky != 0 {
			header.Mode |= 0o1000
		}
		if f.from == "" {
			header.Typeflag, header.Name = tar.TypeDir, f.name+"/"
		} else {
			info, err := os.Stat(f.from)
			if err != nil {
				return err
			}
			header.Typeflag, header.Size = tar.TypeReg, info.Size()
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if err := f.copyTo(archive); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), compressed.Close())
}

// copyTo writes the content, of which a directory has none.
func (f file) copyTo(w io.Writer) error {
	if f.from == "" {
		return nil
	}
	from, err := os.Open(f.from)
	if err != nil {
		return err
	}
	defer from.Close()
	_, err = io.Copy(w, from)
	return err
}

// sums is the file of digests, which sha256sum --check reads.
const sums = "SHA256SUMS"

func (r release) sum(files []string) error {
	var text strings.Builder
	for _, name := range slices.Sorted(slices.Values(files)) {
		hash := sha256.New()
		if err := (file{from: filepath.Join(r.out, name)}).copyTo(hash); err != nil {
			return err
		}
		fmt.Fprintf(&text, "%x  %s\n", hash.Sum(nil), name)
	}
	return r.create(sums, func(w io.Writer) error {
		_, err := io.WriteString(w, text.String())
		return err
	})
}
