//go:build linux

package requests

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/internal/wasmtest"
)

// A lab is where a run measures: a directory with all that the servers need, which is
// removed in the end.
type lab struct {
	plan
	dir         string
	agentFile   string // the agent's binary
	certificate certificate
	token       string // of a user of the agent who may run everything
	progress    io.Writer
	began       time.Time
}

// answer is what all checks print. The built-in one says the same in words of its own.
const answer = "OK: all is well|time=1s;2;3"

// script is a check of both servers.
const script = "#!/bin/sh\necho '" + answer + "'\n"

// newLab builds the agent and the checks.
func newLab(ctx context.Context, p plan, progress io.Writer) (l *lab, err error) {
	l = &lab{plan: p, progress: progress, began: time.Now()}
	if l.dir, err = os.MkdirTemp("", "wasmagent-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	if err := os.Chmod(l.dir, 0o755); err != nil { // Debian's nrpe is another user
		return nil, err
	}
	if l.certificate, err = newCertificate(l.dir); err != nil {
		return nil, err
	}
	l.agentFile = l.file("wasmagent")
	return l, l.build(ctx)
}

func (l *lab) close() error { return os.RemoveAll(l.dir) }

// file is a path in the lab.
func (l *lab) file(name ...string) string {
	return filepath.Join(append([]string{l.dir}, name...)...)
}

// say tells what is measured now, with the seconds since the start.
func (l *lab) say(format string, args ...any) {
	fmt.Fprintf(l.progress, "%4.0f s: %s\n", time.Since(l.began).Seconds(), fmt.Sprintf(format, args...))
}

// build makes the agent, and the checks as a module of it and as files for Debian's
// nrpe.
func (l *lab) build(ctx context.Context) error {
	l.say("building the agent and the checks")
	if err := l.compile(ctx, l.agentFile, ".", "./cmd/wasmagent"); err != nil {
		return err
	}
	if err := l.user(ctx); err != nil {
		return err
	}
	if err := l.compile(ctx, l.file("check_sdk"), "bench", "./testdata/checks/scripts/check_sdk"); err != nil {
		return err
	}
	if err := os.Mkdir(l.file("modules"), 0o755); err != nil {
		return err
	}
	pack := exec.CommandContext(ctx, l.agentFile, "pack", filepath.Join(l.source, "bench", "testdata", "checks"), "-o", l.file("modules", "checks.zip"))
	if said, err := pack.CombinedOutput(); err != nil {
		return fmt.Errorf("%q: %w\n%s", pack.Args, err, said)
	}
	return errors.Join(
		os.WriteFile(l.file("check_script"), []byte(script), 0o755),
		packed(l.file("modules", "bench.zip"), map[string][]byte{
			"check_smallest.wasm": wasmtest.Print(answer+"\n", 0),
			"check_script.sh":     []byte(script),
		}, "/exec/sh"),
	)
}

// compile builds a package of a directory of the project as releases are built.
func (l *lab) compile(ctx context.Context, out, dir, path string) error {
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, path)
	command.Dir = filepath.Join(l.source, dir)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", path, err, said)
	}
	return nil
}

// user makes the user of the agent.
func (l *lab) user(ctx context.Context) error {
	said, err := exec.CommandContext(ctx, l.agentFile, "user", "add", "bench", "--role", "full", "--token", "--users", l.file("users.toml")).Output()
	l.token = strings.TrimSpace(string(said))
	return err
}

// packed writes a module of scripts.
func packed(file string, scripts map[string][]byte, permissions ...string) (err error) {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := zip.NewWriter(out)
	manifest, err := json.Marshal(map[string]any{"name": "Benchmark", "scripts": []string{"scripts/*"}, "permissions": append([]string{}, permissions...)})
	if err != nil {
		return err
	}
	put := func(name string, data []byte) error {
		entry, err := w.Create(name)
		if err == nil {
			_, err = entry.Write(data)
		}
		return err
	}
	errs := []error{put("module.json", manifest)}
	for name, data := range scripts {
		errs = append(errs, put("scripts/"+name, data))
	}
	return errors.Join(append(errs, w.Close())...)
}

// free is an address of loopback that nobody listens at.
func free() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
