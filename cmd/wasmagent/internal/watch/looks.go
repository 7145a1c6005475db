package watch

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A sight is what is seen at the paths that are watched: how the files look that are
// there, by their names.
type sight map[string]map[string]look

// A look is what tells a file from another one in its place.
type look struct {
	size    int64
	changed time.Time
	mode    fs.FileMode
	info    os.FileInfo // of which file it is
}

func (a sight) equal(b sight) bool {
	return maps.EqualFunc(a, b, func(a, b map[string]look) bool { return maps.EqualFunc(a, b, look.equal) })
}

func (a look) equal(b look) bool {
	same := a.info == nil && b.info == nil || a.info != nil && b.info != nil && os.SameFile(a.info, b.info)
	return same && a.size == b.size && a.changed.Equal(b.changed) && a.mode == b.mode
}

// lookAt looks at files, and at those in directories. What cannot be looked at
// has the zero look.
func lookAt(paths []string) sight {
	now, files := sight{}, 0
	for _, path := range paths {
		seen := map[string]look{path: lookOf(path)}
		walk(path, func(name string, entry fs.DirEntry) bool {
			if files++; !entry.IsDir() {
				seen[name] = lookOf(name)
			}
			return files < MaxFiles
		})
		now[path] = seen
	}
	return now
}

// lookOf looks at one file. Of a directory nothing counts but that it is there: it
// changes with what is in it.
func lookOf(name string) look {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return look{}
	case info.IsDir():
		return look{mode: fs.ModeDir}
	}
	return look{info.Size(), info.ModTime(), info.Mode(), info}
}

// walk goes through a directory until visit returns false. What begins with a dot,
// and the directories that tools fill, are left out.
func walk(dir string, visit func(name string, entry fs.DirEntry) bool) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return
	}
	_ = filepath.WalkDir(dir+string(filepath.Separator), func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || name == dir+string(filepath.Separator):
			return nil
		case entry.IsDir() && left(entry.Name()):
			return fs.SkipDir
		case left(entry.Name()):
			return nil
		case !visit(name, entry):
			return fs.SkipAll
		}
		return nil
	})
}

// left tells whether a name is left out.
func left(name string) bool {
	return strings.HasPrefix(name, ".") || name == "node_modules" || name == "target"
}

// directories lists the directories in which something can happen to files: those
// that they are in, by their names and by where links lead, and those below them. Of
// one that does not exist it is the nearest above that does.
func directories(paths []string) []string {
	set := map[string]bool{}
	for _, path := range paths {
		set[existing(filepath.Dir(path))] = true
		if real, err := filepath.EvalSymlinks(path); err == nil {
			set[filepath.Dir(real)] = true
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			set[path] = true
		}
		walk(path, func(name string, entry fs.DirEntry) bool {
			if entry.IsDir() {
				set[name] = true
			}
			return len(set) < MaxDirectories
		})
	}
	list := slices.Sorted(maps.Keys(set))
	return list[:min(len(list), MaxDirectories)]
}

// existing is a directory, or the nearest one above it that exists.
func existing(dir string) string {
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() || filepath.Dir(dir) == dir {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}
