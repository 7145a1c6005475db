package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
)

// compile builds the agent for a target into a directory, which is made.
func (r release) compile(ctx context.Context, t target, dir string) (agent string, err error) {
	agent = filepath.Join(dir, "wasmagent")
	if t.system == "windows" {
		agent += ".exe"
	}
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -X main.release="+r.version, "-o", agent, "./cmd/wasmagent")
	command.Dir = r.source
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+t.system, "GOARCH="+t.arch, "GOAMD64=v1", "GOFLAGS=-mod=readonly -buildvcs=false", "GOWORK=off")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return agent, nil
}

// completions has the agent of this machine write what shells complete its commands
// with.
func (r release) completions(ctx context.Context, work string) (list []file, err error) {
	agent, err := r.compile(ctx, target{goruntime.GOOS, goruntime.GOARCH}, filepath.Join(work, "here"))
	if err != nil {
		return nil, err
	}
	for shell, name := range map[string]string{
		"bash": "usr/share/bash-completion/completions/wasmagent",
		"zsh":  "usr/share/zsh/site-functions/_wasmagent",
		"fish": "usr/share/fish/vendor_completions.d/wasmagent.fish",
	} {
		text, err := exec.CommandContext(ctx, agent, "completion", shell).Output()
		if err == nil && len(text) == 0 {
			err = errors.New("wrote nothing")
		}
		if err != nil {
			return nil, fmt.Errorf("wasmagent completion %s: %w", shell, err)
		}
		from := filepath.Join(work, "completion."+shell)
		if err := os.WriteFile(from, text, 0o644); err != nil {
			return nil, err
		}
		list = append(list, file{name: name, from: from, mode: 0o644})
	}
	return list, nil
}
