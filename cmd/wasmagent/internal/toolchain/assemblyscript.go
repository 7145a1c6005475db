package toolchain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
)

// shim is the package that gives AssemblyScript the WASI names, with the
// options that it needs.
const shim = "@assemblyscript/wasi-shim"

// compileAssemblyScript builds what asconfig.json says, or without one
// index.ts, main.ts, NAME.ts or assembly/index.ts: a reactor, if that exports check.
func compileAssemblyScript(ctx context.Context, s source, out string) error {
	asc, err := s.asc()
	if err != nil {
		return err
	}
	args := []string{asc, "-o", out}
	if !slices.Contains(s.files, "asconfig.json") {
		options, err := s.withoutConfig(asc)
		if err != nil {
			return err
		}
		args = append(args, options...)
	}
	_, err = command{dir: s.dir, args: args}.run(ctx)
	return err
}

// asc finds the compiler: installed for the source, or above it, or in PATH.
func (s source) asc() (string, error) {
	for _, dir := range s.modules() {
		if asc, err := exec.LookPath(filepath.Join(dir, ".bin", "asc")); err == nil {
			return asc, nil
		}
	}
	if asc, err := exec.LookPath("asc"); err == nil && !slices.Contains(s.files, "package.json") {
		return asc, nil
	}
	if slices.Contains(s.files, "package.json") {
		return "", fmt.Errorf("its packages are not installed; %s --prefix %s", npmInstall(), s.dir)
	}
	return "", fmt.Errorf("there is no AssemblyScript compiler; %s --prefix %s assemblyscript %s", npmInstall(), s.dir, shim)
}

// npmInstall is what to do about packages that are missing.
func npmInstall() string {
	if _, err := exec.LookPath("npm"); err != nil {
		return "install Node.js and run: npm install"
	}
	return "run: npm install"
}

// modules lists where npm installs for the source: node_modules in its
// directory and in each above.
func (s source) modules() []string {
	var list []string
	for dir := s.dir; ; dir = filepath.Dir(dir) {
		list = append(list, filepath.Join(dir, "node_modules"))
		if dir == filepath.Dir(dir) {
			return list
		}
	}
}

// withoutConfig are the arguments that an asconfig.json would have: the options
// of the shim, and the entry.
func (s source) withoutConfig(asc string) ([]string, error) {
	places := s.modules()
	if real, err := filepath.EvalSymlinks(asc); err == nil {
		places = append(places, filepath.Dir(filepath.Dir(filepath.Dir(real)))) // node_modules/assemblyscript/bin/asc.js
	}
	for _, dir := range places {
		config := filepath.Join(dir, filepath.FromSlash(shim), "asconfig.json")
		if !isFile(config) {
			continue
		}
		relative, err := filepath.Rel(s.dir, config) // the paths in it are lost behind an absolute one
		if err != nil {
			return nil, err
		}
		entry, err := s.entry()
		options := []string{entry, "--config", relative, "--optimize"}
		if text, err := os.ReadFile(filepath.Join(s.dir, entry)); err == nil && assemblyScriptExport.Match(text) {
			options = append(options, "--exportStart", "_initialize")
		}
		return options, err
	}
	return nil, fmt.Errorf("it needs %s; %s --prefix %s %[1]s", shim, npmInstall(), s.dir)
}

// assemblyScriptExport finds a function that is exported as check.
var assemblyScriptExport = regexp.MustCompile(`(?m)^export function check\(`)

func (s source) entry() (string, error) {
	for _, name := range []string{"index.ts", "main.ts", s.base() + ".ts", filepath.Join("assembly", "index.ts")} {
		if isFile(filepath.Join(s.dir, name)) {
			return name, nil
		}
	}
	return "", errors.New("which file holds the program? call it index.ts")
}
