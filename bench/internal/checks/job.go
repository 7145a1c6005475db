//go:build linux

package checks

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
)

// A job is what a worker runs.
type job struct {
	Way     string // one of ways
	Program string // the file of the WebAssembly; none of a process
	Held    string // the file of one that stays; empty is Program with an argument
	Argv    []string
	Modules int  // how many have the program
	Alike   bool // whether theirs is one and the same
	Cache   string
	First   bool // whether the first answer is wanted before all is compiled
}

// An asker runs the check of one module once. It is an error if that does not answer as
// it should. A check that is held stays for some time after it has answered.
type asker func(ctx context.Context, module int, hold bool) error

// ways are how a check can be run. Each makes the programs of a job
// ready, of every module one; in the sandbox they are the modules themselves.
var ways = map[string]func(context.Context, job, [][]byte) (asker, error){
	"sandbox": openSandbox,
	"process": openProcess,
	"wazero":  openWazero,
	"Extism":  openExtism,
}

// programs are those of the modules, with the held one in the end where it is one of its
// own. In the sandbox each is in a zip.
func (j job) programs() ([][]byte, error) {
	list, err := j.plain()
	for i := range list {
		if err == nil && j.Way == "sandbox" {
			list[i], err = packed(nameOf(i), list[i])
		}
	}
	return list, err
}

func (j job) plain() ([][]byte, error) {
	if j.Program == "" {
		return nil, nil
	}
	wasm, err := os.ReadFile(j.Program)
	if err != nil {
		return nil, err
	}
	list := make([][]byte, j.Modules)
	for i := range list {
		list[i] = wasm
		if !j.Alike {
			list[i] = bytes.ReplaceAll(wasm, []byte(said), []byte(j.says(i)))
		}
	}
	if j.Held == "" {
		return list, nil
	}
	stays, err := os.ReadFile(j.Held)
	return append(list, stays), err
}

// says is what the check of a module says.
func (j job) says(module int) string {
	if j.Alike || module == j.Modules {
		return said
	}
	return strings.Replace(said, "0000", fmt.Sprintf("%04d", module), 1)
}

// target is the program that a run is of, and its arguments.
func (j job) target(module int, hold bool) (program int, args []string) {
	switch {
	case !hold:
		return module, nil
	case j.Held != "":
		return j.Modules, nil
	}
	return module, []string{"stay"}
}

// isWell is the error of an answer that is not the check's.
func (j job) isWell(program int, text string) error {
	if !strings.Contains(text, "OK: "+j.says(program)) {
		return fmt.Errorf("the answer is %.200q", text)
	}
	return nil
}
