package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/toolchain"
	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/providers/confine"
)

// TestMain lets the test binary be the agent where scripts call it, and its shim.
func TestMain(m *testing.M) {
	confine.Main()
	testscript.Main(m, map[string]func(){"wasmagent": main})
}

// TestScripts runs testdata/script. A script begins in a directory of its own,
// which is also its home.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Setup:               setUp,
		Condition:           condition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ends":     ends,
			"guest":    writeGuest,
			"keypair":  writePair,
			"config":   writeConfig,
			"web":      serveDir,
			"registry": startRegistry,
			"holds":    countFiles,
			"damage":   damage,
			"digest":   readInto(digestOf),
			"login":    logIn,
			"noise":    makeNoise,
			"read":     readInto(strings.TrimSpace),
		},
	})
}

// packages is where npm has installed AssemblyScript for the example module.
const packages = "../../examples/wasm-checks/scripts/check_swap/node_modules"

// setUp gives a script a cache of its own, and Go's real one.
func setUp(env *testscript.Env) error {
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
	env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, ".state"))
	env.Setenv("ProgramData", filepath.Join(env.WorkDir, ".state"))
	env.Setenv("LocalAppData", filepath.Join(env.WorkDir, ".cache"))
	env.Setenv("AGENT", filepath.SplitList(env.Getenv("PATH"))[0])
	packages, err := filepath.Abs(packages)
	if err != nil {
		return err
	}
	env.Setenv("PACKAGES", packages)
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE", "GOROOT").Output()
	if err != nil {
		return err
	}
	for i, value := range strings.Fields(string(out)) {
		env.Setenv([]string{"GOCACHE", "GOMODCACHE", "GOROOT"}[i], value)
	}
	return nil
}

// condition decides [builds:FILE], whether there is a compiler for a program in a
// file of that name, which is taken for granted where all tools must be there;
// [minisign], [registry] and [assemblyscript], whether the real ones are there,
// likewise; and [compiles], whether there is time to compile a large guest.
func condition(name string) (bool, error) {
	if file, ok := strings.CutPrefix(name, "builds:"); ok {
		if needs.Everything() {
			return true, nil
		}
		return builds(file)
	}
	if name == "compiles" {
		return !testing.Short() && !raceEnabled, nil
	}
	if name == "minisign" {
		_, err := exec.LookPath(name)
		return err == nil || needs.Everything(), nil
	}
	if name == "assemblyscript" {
		_, err := os.Stat(packages)
		return err == nil || needs.Everything(), nil
	}
	if name == "registry" {
		return hasRegistry(), nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// builds tries to build an empty program: there is a compiler if one complains.
func builds(file string) (bool, error) {
	module, err := os.MkdirTemp("", "")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(module)
	dir := filepath.Join(module, "scripts", "x")
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, file), nil, 0o600)); err != nil {
		return false, err
	}
	programs, err := toolchain.Builder{}.Build(context.Background(), module)
	if err != nil {
		return false, err
	}
	absent := programs.Absent["scripts/x.wasm"]
	return absent == nil || !strings.Contains(absent.Error(), "there is no ") && !strings.Contains(absent.Error(), "lacks"), nil
}

// ends runs a program that must end with a status: ends STATUS PROGRAM ARGS...
func ends(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: ends STATUS PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	got := 0
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s ended with %d, want %d", args[1], got, want)
	}
}

// writeGuest writes a program: guest FILE prints STATUS TEXT, guest FILE checks
// STATUS, which is a reactor, guest FILE opens PATH, or guest FILE spins.
func writeGuest(ts *testscript.TestScript, neg bool, args []string) {
	var program []byte
	switch {
	case len(args) == 4 && args[1] == "prints":
		status, err := strconv.ParseUint(args[2], 10, 6)
		ts.Check(err)
		program = answering(args[3], byte(status))
	case len(args) == 3 && args[1] == "checks":
		status, err := strconv.ParseUint(args[2], 10, 6)
		ts.Check(err)
		program = reacting(byte(status))
	case len(args) == 3 && args[1] == "opens":
		program = opening(args[2])
	case len(args) == 2 && args[1] == "spins":
		program = spinning()
	default:
		ts.Fatalf("usage: guest FILE prints STATUS TEXT | checks STATUS | opens PATH | spins")
	}
	file := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o777))
	ts.Check(os.WriteFile(file, program, 0o666))
}
