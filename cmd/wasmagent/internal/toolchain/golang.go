package toolchain

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// compileGo builds a package of the module around it, or the files of a
// directory that no go.mod is around.
func compileGo(ctx context.Context, s source, out string) error {
	compiler, err := exec.LookPath("go")
	if err != nil {
		return errors.New("there is no Go; install Go 1.21 or later, or put go into PATH")
	}
	args := []string{compiler, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out}
	_, err = command{
		dir:  s.dir,
		env:  slices.Concat(goDirs(s.work), tempIn(filepath.Dir(out)), []string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"}),
		args: append(args, s.goPackage()...),
	}.run(ctx)
	return err
}

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
