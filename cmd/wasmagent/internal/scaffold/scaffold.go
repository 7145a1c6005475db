// Package scaffold writes a new module: one check that packs and runs as it is,
// in a language that can be compiled to WebAssembly.
//
// A directory that holds anything is refused. Nothing is written unless the
// agent would load the module.
package scaffold

import (
	"archive/zip"
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/wasmagent/wasmagent/zipmod"
)

// The templates: those of all languages, and beside them those of each. A file
// whose name ends in ".tmpl" is a text/template with [[ ]] for delimiters.
//
//go:embed templates
var templates embed.FS

// A language is one that a module can be begun in.
type language struct {
	title   string
	source  string // the file to edit
	prepare string // what to run once before building
}

func languages() map[string]language {
	const script = "scripts/check_memory/"
	return map[string]language{
		"go":             {"Go", script + "main.go", ""},
		"c":              {"C", script + "main.c", ""},
		"rust":           {"Rust", script + "main.rs", ""},
		"assemblyscript": {"AssemblyScript", script + "index.ts", "npm install --prefix " + strings.TrimSuffix(script, "/")},
	}
}

// Languages lists the languages by the names that New takes.
func Languages() []string { return slices.Sorted(maps.Keys(languages())) }

// New writes a module into a directory, which is created, and returns what is
// to be run once before the module can be built; empty if nothing is.
func New(dir, name string) (prepare string, err error) {
	l, ok := languages()[name]
	if !ok {
		return "", fmt.Errorf("language %q: want one of %s", name, strings.Join(Languages(), ", "))
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := zipmod.CheckName(filepath.Base(dir)); err != nil {
		return "", fmt.Errorf("%w; give the directory such a name", err)
	}
	files, err := render(name, filepath.Base(dir), l)
	if err != nil {
		return "", err
	}
	if err := check(filepath.Base(dir), files); err != nil {
		return "", err
	}
	return l.prepare, write(dir, files)
}

// render returns the files of a module by their names.
func render(name, base string, l language) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, root := range []string{"templates/common", "templates/" + name} {
		err := fs.WalkDir(templates, root, func(file string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			text, err := templates.ReadFile(file)
			if err != nil {
				return err
			}
			file = strings.TrimPrefix(file, root+"/")
			if trimmed, ok := strings.CutSuffix(file, ".tmpl"); ok {
				file = trimmed
				text, err = fill(text, base, l)
			}
			files[file] = text
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// fill executes a template.
func fill(text []byte, base string, l language) ([]byte, error) {
	t, err := template.New("").Delims("[[", "]]").Parse(string(text))
	if err != nil {
		return nil, err
	}
	schema, err := schemaID()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, map[string]string{
		"Name": base, "Key": key(base), "Schema": schema,
		"Title": l.title, "Source": l.source, "Prepare": l.prepare,
	})
	return out.Bytes(), err
}

// key writes a name as a key of TOML.
func key(name string) string {
	bare := func(r rune) bool {
		return r < 128 && (r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z')
	}
	if strings.IndexFunc(name, func(r rune) bool { return !bare(r) }) < 0 {
		return name
	}
	return `"` + name + `"`
}

// schemaID is the address of the schema of module.json.
func schemaID() (string, error) {
	text, err := zipmod.Schema()
	if err != nil {
		return "", err
	}
	var schema struct {
		ID string `json:"$id"`
	}
	err = json.Unmarshal(text, &schema)
	return schema.ID, err
}

// check reads the files as the agent will, before any is written.
func check(base string, files map[string][]byte) error {
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		if err != nil {
			return err
		}
		if _, err := f.Write(files[name]); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	unbuilt := map[string]error{"scripts/check_memory.wasm": errors.New("is not built yet")}
	_, err := zipmod.Read(base, archive.Bytes(), zipmod.Options{Absent: unbuilt})
	return err
}

// write writes files into a new or empty directory.
func write(dir string, files map[string][]byte) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s: is not empty; name a new directory", dir)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}
