package toolchain

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A source is the directory of one program in a module's directory.
type source struct {
	module   string // the module's directory
	dir      string
	name     string // of the program in the module, such as "scripts/check_x.wasm"
	files    []string
	language language
	work     string // where programs are kept, and what else is for the next build
}

// Sources lists the programs of the module in a directory that can be built and
// are not there, by the name that the file will have in the module.
func Sources(module string) ([]string, error) {
	sources, err := find(module)
	var names []string
	for _, s := range sources {
		if !s.built() {
			names = append(names, s.name)
		}
	}
	return names, err
}

// find lists the programs of a module's directory that have a source.
func find(module string) ([]source, error) {
	entries, err := os.ReadDir(filepath.Join(module, "scripts"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var sources []source
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		s, ok, err := recognise(module, filepath.Join(module, "scripts", e.Name()))
		if err != nil {
			return nil, err
		}
		if ok {
			sources = append(sources, s)
		}
	}
	return sources, nil
}

// recognise tells by the names of its files which language a directory holds,
// if any.
func recognise(module, dir string) (source, bool, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return source{}, false, err
	}
	s := source{module: module, dir: dir, name: "scripts/" + filepath.Base(dir) + ".wasm"}
	for _, e := range entries {
		s.files = append(s.files, e.Name())
	}
	for _, l := range languages() {
		if slices.ContainsFunc(s.files, l.holds) {
			s.language = l
			return s, true, nil
		}
	}
	return source{}, false, nil
}

// built tells whether the module has the program already.
func (s source) built() bool {
	_, err := os.Lstat(s.dir + ".wasm")
	return err == nil
}

// base is the program's name without directory and extension.
func (s source) base() string { return filepath.Base(s.dir) }

// with lists the source's files of an extension, without directories' files
// and sorted.
func (s source) with(extension string) []string {
	var list []string
	for _, f := range s.files {
		if filepath.Ext(f) == extension {
			list = append(list, f)
		}
	}
	return list
}

// kept is where the program is kept. Unless the compiler keeps track of changes
// itself, the name tells one content of the sources from another.
func (s source) kept() (string, error) {
	if s.language.caches {
		return filepath.Join(s.work, s.base()+".wasm"), nil
	}
	hash := sha256.New()
	for _, tool := range installed(s.language.tools) {
		if info, err := os.Stat(tool); err == nil {
			fmt.Fprintln(hash, tool, info.Size(), info.ModTime().UnixNano())
		}
	}
	err := filepath.WalkDir(s.module, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return skipInstalled(e, err)
		}
		return s.add(hash, name)
	})
	return filepath.Join(s.work, s.base()+"-"+hex.EncodeToString(hash.Sum(nil)[:12])+".wasm"), err
}

// skipInstalled leaves out the directories that tools fill.
func skipInstalled(e fs.DirEntry, err error) error {
	if err == nil && e.IsDir() && slices.Contains([]string{"node_modules", "target", ".git"}, e.Name()) {
		return filepath.SkipDir
	}
	return err
}

// add adds a file to the hash if it can be part of the program: it is in the
// program's directory, or source code elsewhere in the module.
func (s source) add(hash io.Writer, name string) error {
	shared := slices.Contains([]string{".c", ".h", ".rs", ".ts", ".wat", ".toml", ".json", ".lock"}, filepath.Ext(name))
	if !shared && !strings.HasPrefix(name, s.dir+string(filepath.Separator)) {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintln(hash, name)
	_, err = io.Copy(hash, f)
	return err
}
