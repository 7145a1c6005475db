//go:build linux

package worker

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
)

// Said is what every check says of the module that it is in. Another number takes the
// place of this one, so that no two modules have the same program.
const Said = "module 0000 is well"

// A Job is what a worker runs.
type Job struct {
	Way     string // the name of an Open
	Program string // the file of the WebAssembly; none of a process
	Held    string // the file of one that stays; empty is Program with an argument
	Argv    []string
	Modules int  // how many have the program
	Alike   bool // whether theirs is one and the same
	Cache   string
	First   bool // whether the first answer is wanted before all is compiled
}

// An Asker runs the check of one module once. It is an error if that does not answer as
// it should. A check that is held stays for some time after it has answered.
type Asker func(ctx context.Context, module int, hold bool) error

// An Open makes the programs of a job ready, of every module one; in the sandbox they are
// the modules themselves. A job with one that is held has it in the end.
type Open func(ctx context.Context, j Job, programs [][]byte) (Asker, error)

// programs are those of the modules, with the held one in the end where it is one of its
// own. In the sandbox each is in a zip.
func (j Job) programs() ([][]byte, error) {
	list, err := j.plain()
	for i := range list {
		if err == nil && j.Way == "sandbox" {
			list[i], err = packed(NameOf(i), list[i])
		}
	}
	return list, err
}

func (j Job) plain() ([][]byte, error) {
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
			list[i] = bytes.ReplaceAll(wasm, []byte(Said), []byte(j.says(i)))
		}
	}
	if j.Held == "" {
		return list, nil
	}
	stays, err := os.ReadFile(j.Held)
	return append(list, stays), err
}

// says is what the check of a module says.
func (j Job) says(module int) string {
	if j.Alike || module == j.Modules {
		return Said
	}
	return strings.Replace(Said, "0000", fmt.Sprintf("%04d", module), 1)
}

// Target is the program that a run is of, and its arguments.
func (j Job) Target(module int, hold bool) (program int, args []string) {
	switch {
	case !hold:
		return module, nil
	case j.Held != "":
		return j.Modules, nil
	}
	return module, []string{"stay"}
}

// IsWell is the error of an answer that is not the check's.
func (j Job) IsWell(program int, text string) error {
	if !strings.Contains(text, "OK: "+j.says(program)) {
		return fmt.Errorf("the answer is %.200q", text)
	}
	return nil
}

// NameOf is what a module and its one check are called.
func NameOf(module int) string { return fmt.Sprintf("check_%04d", module) }

// packed is a zip module with one program.
func packed(name string, wasm []byte) ([]byte, error) {
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for _, f := range []struct {
		name string
		data []byte
	}{{"module.json", []byte(`{"name": "Benchmark", "scripts": ["scripts/*.wasm"]}`)}, {"scripts/" + name + ".wasm", wasm}} {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Store})
		if err != nil {
			return nil, err
		}
		if _, err := entry.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return archive.Bytes(), err
}
