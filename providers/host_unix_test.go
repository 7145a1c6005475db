//go:build unix

package providers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
)

// host is the grant of a host script that is expected to answer.
var host = providers.Grant{Allow: everything, Limits: policy.Limits{Time: time.Minute}}

func TestHostScriptAnswers(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, file, content string
		state               check.State
		text                string
	}{
		{"OK", "a.sh", "echo OK fine", check.StateOK, "OK fine"},
		{"CRITICAL", "a.sh", "echo bad; exit 2", check.StateCritical, "bad"},
		{"no output", "a.sh", "exit 0", check.StateUnknown, "no output"},
		{"no output but an excuse", "a.sh", "echo cannot read >&2; exit 1", check.StateUnknown, "cannot read"},
		{"a missing program", "a.sh", "there-is-no-such-program", check.StateUnknown, "a program that the script calls was not found in PATH"},
		{"what cannot be executed", "a.sh", "/", check.StateUnknown, "cannot be executed"},
		{"a killed child", "a.sh", "sh -c 'kill -9 $$'; exit $?", check.StateUnknown, "was killed by signal 9"},
		{"a signal", "a.sh", "echo OK; kill -9 $$", check.StateUnknown, "the script was killed by signal 9 (killed)"},
		{"another status", "a.sh", "echo OK; exit 77", check.StateUnknown, "77"},
		{"by its first line", "a.sh", "#!/usr/bin/env -S sh -e\nfalse\necho OK", check.StateUnknown, "no output"},
		{"without an extension", "bin/a", "#!/bin/sh\necho OK $0", check.StateOK, "/bin/a"},
		{"not to be executed", "bin/a", "neither script nor program", check.StateUnknown, ""},
		{"standard input is empty", "a.sh", "cat; echo OK", check.StateOK, "OK"},
		{"a helper beside it", "s/a.sh", `. "$(dirname "$0")/lib.sh"`, check.StateOK, "OK helped"},
		{"in the zip's root", "s/a.sh", `cat s/lib.sh >/dev/null && echo OK`, check.StateOK, "OK"},
		{"a helper that is executed", "s/a.sh", `s/run`, check.StateOK, "OK run"},
	}
	p := newProviders(t, nil)
	for _, row := range rows {
		files := map[string]string{row.file: row.content, "s/lib.sh": "echo OK helped\n", "s/run": "#!/bin/sh\necho OK run\n"}
		l := loadAll(t, p, readModule(t, manifest{Scripts: []any{row.file}}, files, nil), host)
		r, err := ask(t, l)
		if err != nil {
			r = check.Unknown(err)
		}
		if r.State != row.state || !strings.Contains(r.Text, row.text) {
			t.Errorf("%s: got %v %q; want %v %q", row.name, r.State, r.Text, row.state, row.text)
		}
		if err == nil && (r.Usage.Wall == 0 || row.state == check.StateOK && r.Usage.Output == 0) {
			t.Errorf("%s: usage is missing: %+v", row.name, r.Usage)
		}
	}
}

func TestHostScriptGetsItsInput(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("0123456789abcde\n", 1<<16)
	p := newProviders(t, nil)
	for _, row := range []struct{ name, script, input, text string }{
		{"reads it", "cat", "OK heard", "OK heard"},
		{"reads all of it", "echo OK $(wc -c)", large, fmt.Sprint("OK ", len(large))},
		{"reads a part of it", "head -c 8; exec <&-; echo", "OK heard" + large, "OK heard"},
		{"does not read it", "echo OK", large, "OK"},
		{"leaves it to a child that stays", "sleep 600 & echo OK", large, "OK"},
		{"there is none", "cat; echo OK", "", "OK"},
	} {
		r, err := hear(t, loadAll(t, p, one(t, "a.sh", row.script), host), row.input)
		if err != nil || r.State != check.StateOK || r.Text != row.text {
			t.Errorf("%s: got %v %.80q, %v", row.name, r.State, r.Text, err)
		}
	}
}

func TestScriptThatRemovesItself(t *testing.T) {
	t.Parallel()
	l := loadAll(t, newProviders(t, nil), one(t, "a.sh", `rm -r "$PWD"; echo OK`), host)
	if r, err := ask(t, l); err != nil || r.State != check.StateOK {
		t.Errorf("got %+v, %v", r, err)
	}
	_, err := ask(t, l)
	wantText(t, err, "its unpacked copy was removed", "load the module again")
}

func TestHostScriptGetsArgumentsAsTheyAre(t *testing.T) {
	t.Parallel()
	args := []string{"a b", "", "$(id)", "`id`", ";id", "*", "'", `"`, `\`, "-n", "--", "é\n", "$ARG1$"}
	content := `printf 'OK %s,' "$#"; for a in "$@"; do printf '<%s>' "$a"; done`
	l := loadAll(t, newProviders(t, nil), readModule(t, manifest{Scripts: []any{
		object{"script": "a.sh", "command": `a.sh $ARGS$`},
	}}, map[string]string{"a.sh": content}, nil), host)
	r, err := ask(t, l, args...)
	if err != nil {
		t.Fatal(err)
	}
	printed := r.Text
	if r.Long != "" {
		printed += "\n" + r.Long
	}
	want := fmt.Sprintf("OK %d,<%s>", len(args), strings.Join(args, "><"))
	if printed != want {
		t.Errorf("got  %q\nwant %q", printed, want)
	}
	_, err = ask(t, l, "a\x00b")
	wantText(t, err, "NUL")
}

func TestHostScriptInheritsNothing(t *testing.T) {
	t.Setenv("WASMAGENT_TEST_SECRET", "secret") // so this test is not parallel
	secret, err := os.Open("host_unix_test.go")
	if err != nil {
		t.Fatal(err)
	}
	defer secret.Close()
	// As if whoever started the agent had left a descriptor open in it.
	left, err := syscall.Dup(int(secret.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(left)
	p := newProviders(t, func(c *providers.Config) { c.Path = []string{"/usr/bin", "/bin"} })
	l := loadAll(t, p, one(t, "a.sh", "pwd; env; ls /dev/fd/"), host)
	r, err := ask(t, l)
	if err != nil {
		t.Fatal(err)
	}
	// The shell sets PWD, OLDPWD, SHLVL and _ on its own; ls opens the directory.
	shells := []string{"PWD", "OLDPWD", "SHLVL", "_"}
	dir := r.Text
	for line := range strings.Lines(r.Long) {
		switch name, value, isVariable := strings.Cut(strings.TrimSpace(line), "="); {
		case !isVariable && strings.Trim(name, "0123") != "":
			t.Errorf("descriptor %s was inherited", name)
		case isVariable && !slices.Contains(shells, name) && name+"="+value != "PATH=/usr/bin:/bin" && name+"="+value != "LANG=C" && name+"="+value != "TMPDIR="+dir:
			t.Errorf("variable %s=%s was handed over", name, value)
		}
	}
}

func TestPythonScriptAnswers(t *testing.T) {
	t.Parallel()
	p := newProviders(t, nil)
	files := map[string]string{
		"a.py":      "import sys, helper\nprint('OK', helper.name, *sys.argv[1:])",
		"helper.py": "name = 'h\u00e9lper'",
		"b.py":      "print('OK until here')\nprint(1 / 0)",
	}
	l := loadAll(t, p, readModule(t, manifest{Scripts: []any{"a.py", "b.py"}}, files, nil), host)
	r, err := ask(t, l, "a b", "c")
	needInterpreter(t, err)
	if err != nil || r.State != check.StateOK || r.Text != "OK h\u00e9lper a b c" {
		t.Errorf("got %+v, %v", r, err)
	}
	r, err = l.Commands[1].Runner.Run(t.Context(), check.Request{})
	if err != nil || r.State != check.StateUnknown || r.Text != "the script crashed: ZeroDivisionError: division by zero" || r.Long != "OK until here" {
		t.Errorf("got %+v, %v", r, err)
	}
}

// needInterpreter skips a test whose interpreter this machine lacks.
func needInterpreter(t *testing.T, err error) {
	t.Helper()
	if err != nil && strings.Contains(err.Error(), "install it") {
		needs.Missing(t, err)
	}
}

func TestWithoutTheInterpreter(t *testing.T) {
	t.Parallel()
	dir, empty := filepath.Join(t.TempDir(), "unpacked"), t.TempDir()
	p := newProviders(t, func(c *providers.Config) { c.UnpackDir, c.Path = dir, []string{empty} })
	for file, want := range map[string]string{
		"a.sh": "it needs sh, which is in none of " + empty, "a.py": "it needs python3", "a.ps1": "it needs powershell",
		"a.bat": "does not run on", "a.vbs": "does not run on", "a.exe": "does not run on",
	} {
		_, err := ask(t, loadAll(t, p, one(t, file, "echo OK"), host))
		wantText(t, err, "script "+file, want)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("something was unpacked")
	}
}

// A watch is a named pipe that every process of a script has open for writing:
// it ends when they have.
type watch struct {
	name  string
	ended chan error
}

// piped loads a script that opens the named pipe which its first argument names.
// The pipe is in the script's own directory, the only one that it can write to.
func piped(t *testing.T, p *providers.Providers, content string, limits policy.Limits) (l *providers.Loaded, pipe string) {
	t.Helper()
	m := one(t, "a.sh", `[ $# = 0 ] && pwd && exit; exec 9>"$1"; `+content)
	r, err := ask(t, loadAll(t, p, m, host))
	if err != nil {
		t.Fatal(err)
	}
	pipe = filepath.Join(r.Text, "fifo")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	return loadAll(t, p, m, providers.Grant{Allow: everything, Limits: limits}), pipe
}

// watched is piped with somebody who watches the pipe.
func watched(t *testing.T, p *providers.Providers, content string, limits policy.Limits) (*providers.Loaded, watch) {
	t.Helper()
	l, pipe := piped(t, p, content, limits)
	w := watch{pipe, make(chan error, 1)}
	go func() { w.ended <- readAll(pipe) }()
	return l, w
}

// wait waits until no process has the pipe open.
func (w watch) wait() error {
	// A script that was stopped before it opened the pipe is not waited for.
	f, err := os.OpenFile(w.name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), <-w.ended)
}

// readAll reads a named pipe to its end.
func readAll(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}

func TestHostileScriptsAreStopped(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, content, text string }{
		{"sleeps", `exec sleep 1000`, "time limit"},
		{"spins", `while :; do :; done`, "time limit"},
		{"ignores signals", `trap '' TERM INT HUP; while :; do sleep 1000; done`, "time limit"},
		{"waits for its children", `sleep 1000 & sleep 1000 & wait`, "time limit"},
		{"prints without end", `while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done`, "output limit"},
		{"complains without end", `while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done >&2`, "output limit"},
		{"prints from a child", `yes & wait`, "output limit"},
		{"prints without lines", `cat /dev/zero`, "output limit"},
	}
	p := newProviders(t, nil)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			limits := policy.Limits{Time: 500 * time.Millisecond}
			if row.text == "output limit" {
				limits = policy.Limits{Time: time.Minute, Output: 16 * policy.KiB}
			}
			l, processes := watched(t, p, row.content, limits)
			r, err := ask(t, l, processes.name)
			if err != nil || r.State != check.StateUnknown || !strings.Contains(r.Text, row.text) || r.Usage.Wall == 0 {
				t.Errorf("got %v %.200q, %v; want %q", r.State, r.Text, err, row.text)
			}
			if r.Usage.ExitStatus != nil {
				t.Errorf("exit status %d of a script that was stopped", *r.Usage.ExitStatus)
			}
			if err := processes.wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A child that stays behind with the script's standard output neither delays
// the answer for long nor lives on.
func TestChildrenThatStayBehind(t *testing.T) {
	t.Parallel()
	p := newProviders(t, nil)
	for name, content := range map[string]string{
		"holds the output":    `sleep 1000 & echo OK`,
		"holds nothing":       `sleep 1000 >/dev/null 2>&1 </dev/null & echo OK`,
		"ignores its hang-up": `nohup sleep 1000 >/dev/null 2>&1 & echo OK`,
	} {
		l, processes := watched(t, p, content, host.Limits)
		r, err := ask(t, l, processes.name)
		if err != nil || r.State != check.StateOK || r.Text != "OK" {
			t.Errorf("%s: got %+v, %v", name, r, err)
		}
		if err := processes.wait(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCallerStopsHostScript(t *testing.T) {
	t.Parallel()
	l, name := piped(t, newProviders(t, nil), `sleep 1000`, host.Limits)
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() {
		f, err := os.Open(name) // waits until the script runs
		cancel(errors.New("nobody wants to know"))
		if err == nil {
			_, err = io.Copy(io.Discard, f)
			err = errors.Join(err, f.Close())
		}
		ended <- err
	}()
	r, err := l.Commands[0].Runner.Run(ctx, check.Request{Args: []string{name}})
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err != nil || r.State != check.StateUnknown || !strings.Contains(r.Text, "nobody wants to know") {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestHostScriptsInParallel(t *testing.T) {
	t.Parallel()
	p := newProviders(t, nil)
	files := map[string]string{"a.sh": `echo "OK $1"`, "b": "#!/bin/sh\necho \"OK $1\""}
	l := loadAll(t, p, readModule(t, manifest{Scripts: []any{"a.sh", "b"}}, files, nil), host)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for _, c := range l.Commands {
				arg := fmt.Sprint(i)
				if r, err := c.Runner.Run(t.Context(), check.Request{Args: []string{arg}}); err != nil || r.Text != "OK "+arg {
					t.Errorf("%s %s: %+v, %v", c.Script.File, arg, r, err)
				}
			}
		})
	}
	wg.Wait()
}
