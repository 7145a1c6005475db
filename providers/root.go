package providers

import (
	"cmp"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// Files is a directory or a file of the host that operators put under /files.
type Files struct {
	// Path is where it is on the host.
	Path string
	// Writable lets scripts change what is in it, under a quota of its own.
	Writable bool
	// Quota bounds a writable one; zeros are policy's defaults for /state. It is no
	// module's, for modules share it.
	Quota runtime.Quota
}

// root is the file system of a module's programs: its zip, and what it was
// granted.
func (p *Providers) root(m *zipmod.Module, g Grant, access policy.Access) (*runtime.Root, error) {
	c := runtime.RootConfig{Access: access, Host: p.config.Facts, Env: g.Env, Commands: callable(g.Commands)}
	c.Dialer.Roots, c.Dialer.Own = g.Roots, p.config.Own
	for _, f := range m.Files {
		c.Files = append(c.Files, runtime.File{Name: f.Name, Data: f.Data, ModTime: f.ModTime})
	}
	if p.engine != nil {
		c.Directories = p.directories(m.Name, g)
	}
	return runtime.NewRoot(c)
}

// directories are those of the host, by their paths in the sandbox.
func (p *Providers) directories(module string, g Grant) map[string]runtime.Directory {
	directories := map[string]runtime.Directory{}
	for name, f := range g.Files {
		options := runtime.DirectoryOptions{Writable: f.Writable, Quota: f.quota()}
		directories["/files/"+name] = p.engine.Directory(f.Path, options)
	}
	if p.config.StateDir != "" {
		quota := runtime.Quota{Bytes: int64(g.Limits.State), Files: g.Limits.StateFiles}
		options := runtime.DirectoryOptions{Writable: true, Create: true, Quota: &quota}
		directories["/state"] = p.engine.Directory(StateDir(p.config.StateDir, module), options)
	}
	return directories
}

// quota is that of a writable one.
func (f Files) quota() *runtime.Quota {
	if !f.Writable {
		return nil
	}
	return &runtime.Quota{
		Bytes: cmp.Or(f.Quota.Bytes, int64(policy.Defaults.State)),
		Files: cmp.Or(f.Quota.Files, policy.Defaults.StateFiles),
	}
}

// StateDir is the directory of a module's /state in the one of all modules.
func StateDir(dir, module string) string { return filepath.Join(dir, strings.ToLower(module)) }

// callable makes commands into files: what is read is the answer in JSON. A
// command that could not be run answers UNKNOWN.
func callable(commands Commands) func(name string) (runtime.Command, bool) {
	if commands == nil {
		return nil
	}
	return func(name string) (runtime.Command, bool) {
		runner, own := commands(name)
		if runner == nil {
			return nil, false
		}
		return func(ctx context.Context, args []string) []byte {
			result, err := runner.Run(ctx, check.Request{Command: name, Args: args, Origin: check.Check})
			if err != nil {
				result = check.Unknown(err)
			}
			return document(result)
		}, own
	}
}

// document is a Result in JSON.
func document(r check.Result) []byte {
	text, err := json.Marshal(r)
	if err != nil {
		return document(check.Unknown(err))
	}
	return append(text, '\n')
}
