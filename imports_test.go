package wasmagent_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/wasmagent/wasmagent"

// mayImport is the direction of imports: what each tree of packages may import
// of this project, beside internal, which everybody may. A tree that is missing
// here fails the test.
var mayImport = map[string][]string{
	"":          {}, // the tests of the whole
	"internal":  {},
	"check":     {},
	"policy":    {},
	"audit":     {},
	"facts":     {},
	"trust":     {},
	"strict":    {},
	"access":    {"strict"},
	"zipmod":    {"check", "policy"},
	"runtime":   {"check", "policy"},
	"providers": {"check", "policy", "zipmod", "runtime"},
	"builtin":   {"check", "facts"},
	"schedule":  {"check"},
	"metrics":   {"check"},
	"listen":    {"access", "check", "metrics", "policy"},
	"agent":     {"check", "policy", "zipmod", "providers"},
	"cmd":       {"access", "agent", "audit", "builtin", "check", "facts", "listen", "metrics", "policy", "providers", "runtime", "schedule", "strict", "trust", "zipmod"},
	"guest":     {"check"},
	"examples":  {"check", "guest"},
}

// onlyImporter names the one tree that may import a library.
var onlyImporter = map[string]string{
	"aead.dev/minisign":               "trust",
	"github.com/tetratelabs/wazero":   "runtime",
	"github.com/prometheus":           "metrics listen",
	"go.opentelemetry.io":             "metrics",
	"github.com/robfig/cron":          "schedule",
	"github.com/shirou/gopsutil":      "facts",
	"github.com/fsnotify":             "cmd",
	"github.com/spf13/cobra":          "cmd",
	"github.com/bmatcuk/doublestar":   "access policy zipmod",
	"github.com/google/jsonschema-go": "",
	"github.com/getkin/kin-openapi":   "",
	"github.com/klauspost/compress":   "listen",
	"github.com/kardianos/service":    "cmd",
	"github.com/landlock-lsm":         "providers",
	"github.com/opencontainers":       "cmd",
	"oras.land/oras-go":               "cmd",
	"golang.org/x/crypto/argon2":      "access",
}

// standardLibraryOnly are the trees that import nothing else but this project.
var standardLibraryOnly = []string{"internal", "check", "audit", "agent", "guest"}

type listedPackage struct {
	ImportPath string
	Imports    []string
}

func listPackages(t *testing.T) []listedPackage {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listedPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// tree is the directory at the top that a package of this project is below;
// ours is false of any other package.
func tree(importPath string) (name string, ours bool) {
	below, ours := strings.CutPrefix(importPath+"/", module+"/")
	name, _, _ = strings.Cut(below, "/")
	return name, ours
}

func TestImportsRunOneWay(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		from, _ := tree(p.ImportPath)
		allowed, known := mayImport[from]
		if !known {
			t.Errorf("%s: not in the table of imports", p.ImportPath)
		}
		for _, imported := range p.Imports {
			switch to, ours := tree(imported); {
			case !ours:
				checkLibrary(t, p.ImportPath, from, imported)
			case to != from && to != "internal" && !slices.Contains(allowed, to):
				t.Errorf("%s imports %s: %s may import only %v", p.ImportPath, imported, from, allowed)
			}
		}
	}
}

func checkLibrary(t *testing.T, importer, from, imported string) {
	t.Helper()
	domain, _, _ := strings.Cut(imported, "/")
	if strings.Contains(domain, ".") && slices.Contains(standardLibraryOnly, from) {
		t.Errorf("%s imports %s: %s is written on the standard library", importer, imported, from)
	}
	for library, only := range onlyImporter {
		if strings.HasPrefix(imported, library) && !slices.Contains(strings.Fields(only), from) {
			t.Errorf("%s imports %s: only %q may", importer, imported, only)
		}
	}
}
