//go:build linux

package worker

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProcessors wants a worker to have the processors that it is given.
func TestProcessors(t *testing.T) {
	out, command := &strings.Builder{}, exec.Command("nproc")
	command.Stdout = out
	if err := confined(1, command.Start); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil || strings.TrimSpace(out.String()) != "1" {
		t.Errorf("%q processors, %v", out, err)
	}
}

// TestPrograms wants no two programs alike, unless they are to be.
func TestPrograms(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "x.wasm")
	if err := os.WriteFile(file, []byte("("+Said+")"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		alike bool
		want  string
	}{{false, "(module 0001 is well)"}, {true, "(module 0000 is well)"}} {
		j := Job{Way: "wazero", Program: file, Held: file, Modules: 2, Alike: row.alike}
		programs, err := j.programs()
		if err != nil || len(programs) != 3 || string(programs[1]) != row.want || string(programs[2]) != "("+Said+")" {
			t.Errorf("%q, %v", programs, err)
		}
		if err := j.IsWell(1, "OK: "+strings.Trim(row.want, "()")); err != nil {
			t.Error(err)
		}
		if err := j.IsWell(1, "OK: module 0002 is well"); err == nil {
			t.Error("the answer of another module is well")
		}
	}
}
