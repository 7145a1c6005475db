package toolchain

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// compileGo builds a package of the module around it, or the files of a
// directory that no go.mod is around: a reactor, if a package of the program
// exports check, as package guest does.
func compileGo(ctx context.Context, s source, out string) error {
	compiler, err := exec.LookPath("go")
	if err != nil {
		return errors.New("there is no Go; install Go 1.24 or later, or put go into PATH")
	}
	c := command{
		dir: s.dir,
		env: slices.Concat(goDirs(s.work), tempIn(filepath.Dir(out)), []string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"}),
	}
	c.args = append([]string{compiler, "list", "-deps", "-f", goFiles}, s.goPackage()...)
	files, err := c.run(ctx)
	if err != nil {
		return err
	}
	args := []string{compiler, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out}
	if slices.ContainsFunc(strings.Split(files, "\n"), goExports) {
		args = append(args, "-buildmode=c-shared")
	}
	c.args = append(args, s.goPackage()...)
	_, err = c.run(ctx)
	return err
}

// goFiles has go list name the files of packages other than the standard
// library's, one a line.
const goFiles = `{{if not .Standard}}{{range .GoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}{{end}}`

// goExports tells whether a file exports a function to the host as check.
func goExports(file string) bool {
	text, err := os.ReadFile(file)
	return err == nil && goExport.Match(text)
}

var goExport = regexp.MustCompile(`(?m)^//go:wasmexport check\s*$`)

// goDirs are the directories that Go keeps its own files in, for a user without a
// home that can be written, such as that of a service.
func goDirs(work string) []string {
	home, err := os.UserCacheDir()
	if os.Getenv("GOCACHE") != "" || err == nil && os.MkdirAll(home, 0o700) == nil {
		return nil
	}
	env := []string{"GOCACHE=" + filepath.Join(work, "go-cache")}
	if os.Getenv("GOPATH") == "" && os.Getenv("GOMODCACHE") == "" {
		env = append(env, "GOPATH="+filepath.Join(work, "go"), "GOFLAGS="+os.Getenv("GOFLAGS")+" -modcacherw")
	}
	return env
}

// goPackage is what to build: the package in the directory, or, outside of any
// Go module, its files.
func (s source) goPackage() []string {
	for dir := s.dir; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return []string{"."}
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return slices.DeleteFunc(s.with(".go"), func(name string) bool { return strings.HasSuffix(name, "_test.go") })
}
