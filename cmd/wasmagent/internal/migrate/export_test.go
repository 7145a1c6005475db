package migrate

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
)

var (
	ShellBody = shellBody
	ExecWords = execWords
	Host      = host
	Short     = short
)

// ReadFrom is Read of a disk that has these files alone. lost are the keys of which
// nothing is said.
func ReadFrom(files map[string]string, name string, builtin func(string) []string) (m Migration, lost []string, err error) {
	d := disk{
		read: func(name string) ([]byte, error) {
			text, ok := files[name]
			if !ok {
				return nil, fs.ErrNotExist
			}
			return []byte(text), nil
		},
		list: func(dir string) ([]string, error) {
			names := slices.Sorted(maps.Keys(files))
			return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/") }), nil
		},
	}
	w, err := d.mapping(name, builtin)
	if err != nil {
		return Migration{}, nil, err
	}
	m = w.migration()
	for _, e := range w.entries {
		if !e.taken {
			lost = append(lost, e.name())
		}
	}
	return m, lost, nil
}
