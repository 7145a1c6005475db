package providers

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	goruntime "runtime"
	"strings"
)

// An interpreter is a program of the host that runs scripts.
type interpreter struct {
	// name is the NAME of the permission /exec/NAME.
	name string
	// programs are the file names to look for; the first that is found is taken.
	// Without any, the script is itself the program.
	programs []string
	// options come before the script.
	options []string
	// only is the one operating system that has it, and not another one than
	// that it does not run on; empty is any.
	only, not string
	// check refuses arguments that the interpreter would take for something
	// else than text. Nil takes them all.
	check func(args []string) error
	// line is set where the program takes no argv but one line.
	line func(program, script string, args []string) string
}

// The interpreters that are not named by a "#!" line.
var (
	python     = interpreter{name: "python3", programs: pythons(), options: []string{"-X", "utf8"}}
	shell      = interpreter{name: "sh", programs: []string{"sh"}}
	native     = interpreter{name: "native", not: "windows"}
	nativeExe  = interpreter{name: "native", only: "windows"}
	powershell = interpreter{name: "powershell", programs: []string{"powershell", "pwsh"},
		options: []string{"-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File"}}
	cscript = interpreter{name: "cscript", programs: []string{"cscript"}, only: "windows", options: []string{"//NoLogo"}, check: checkScriptHost}
	cmd     = interpreter{name: "cmd", programs: []string{"cmd"}, only: "windows", check: checkCmd, line: cmdLine}
)

// pythons are the names of Python 3; on Windows "python" is it, elsewhere that
// may be Python 2.
func pythons() []string {
	if goruntime.GOOS == "windows" {
		return []string{"python3", "python", "py"}
	}
	return []string{"python3"}
}

// interpreterOf is what runs a script of CheckExternalScripts: by its extension
// on Windows' own kinds, then by its "#!" line, then by its extension.
func interpreterOf(file string, content []byte) (interpreter, error) {
	extension := strings.ToLower(path.Ext(file))
	switch extension {
	case ".ps1":
		return powershell, nil
	case ".bat", ".cmd":
		return cmd, nil
	case ".vbs":
		return cscript, nil
	case ".exe":
		return nativeExe, nil
	}
	if named, ok, err := shebang(content); ok {
		return named, err
	}
	if extension == ".sh" {
		return shell, nil
	}
	return native, nil
}

// maxShebang is the longest "#!" line in bytes, that of Linux.
const maxShebang = 256

// shebang reads the interpreter that a script names in its first line. Only its
// name counts, not its directory, so that "#!/bin/bash" is found where a system
// keeps bash; "#!/usr/bin/env NAME" is NAME.
func shebang(content []byte) (_ interpreter, ok bool, _ error) {
	rest, ok := bytes.CutPrefix(content, []byte("#!"))
	if !ok {
		return interpreter{}, false, nil
	}
	line, _, _ := bytes.Cut(rest[:min(len(rest), maxShebang)], []byte("\n"))
	words := strings.Fields(string(line))
	if len(words) > 1 && path.Base(words[0]) == "env" {
		words = words[1:]
		if words[0] == "-S" {
			words = words[1:]
		}
	}
	if len(words) == 0 || !isProgramName(path.Base(words[0])) {
		return interpreter{}, true, fmt.Errorf("its first line %q names no interpreter; write it as %q", "#!"+printable(line), "#!/bin/sh")
	}
	name := path.Base(words[0])
	return interpreter{name: name, programs: []string{name}, options: words[1:]}, true, nil
}

// isProgramName tells whether a name can be that of a program and a segment of
// a permission.
func isProgramName(name string) bool {
	return strings.Trim(name, ".") != "" && !strings.HasPrefix(name, "-") && strings.IndexFunc(name, func(r rune) bool {
		return r > 127 || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-", r)
	}) < 0
}

// find returns the interpreter's program in one of the directories; empty for
// an interpreter that is none.
func (i interpreter) find(directories []string) (string, error) {
	if goos := goruntime.GOOS; i.only != "" && i.only != goos || i.not == goos {
		return "", fmt.Errorf("its kind does not run on %s", goos)
	}
	if len(i.programs) == 0 {
		return "", nil
	}
	for _, program := range i.programs {
		for _, directory := range directories {
			if file := filepath.Join(directory, program+programSuffix); isProgram(file) {
				return file, nil
			}
		}
	}
	return "", fmt.Errorf("it needs %s, which is in none of %s; install it", i.programs[0], strings.Join(directories, string(os.PathListSeparator)))
}

// checkScriptHost refuses what the Windows Script Host takes for an option of
// its own wherever it stands, such as "//E:ENGINE".
func checkScriptHost(args []string) error {
	for _, arg := range args {
		if strings.HasPrefix(arg, "//") {
			return fmt.Errorf("argument %q begins with \"//\", which cscript takes for an option; leave that out", printable([]byte(arg)))
		}
	}
	return nil
}

// cmdSpecial are the characters that cmd.exe gives a meaning in a batch file
// even where they came in inside of an argument in quotes: %~1 takes the quotes
// off, and there is no way to escape that holds both times.
const cmdSpecial = "\"%!^&|<>()`"

// checkCmd refuses arguments that cmd.exe would not hand on as they are.
func checkCmd(args []string) error {
	for _, arg := range args {
		if strings.ContainsAny(arg, cmdSpecial) || strings.ContainsFunc(arg, isControl) {
			return fmt.Errorf("argument %q holds a character that cmd.exe would interpret, one of %s or a control character; leave it out", printable([]byte(arg)), cmdSpecial)
		}
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// cmdLine is the command line of a batch file: no AutoRun (/d), no delayed
// expansion (/v:off), only the outer quotes off (/s). The words have passed
// checkCmd.
func cmdLine(program, script string, args []string) string {
	var b strings.Builder
	b.WriteString(`"` + program + `" /d /v:off /s /c ""` + script + `"`)
	for _, arg := range args {
		b.WriteString(` "` + arg + `"`)
	}
	return b.String() + `"`
}
