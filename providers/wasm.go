package providers

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// compile makes the module's programs, each file once, by file.
func (p *Providers) compile(ctx context.Context, m *zipmod.Module, plans []Plan, limits policy.Limits) (map[string]*runtime.Program, error) {
	files := programFiles(plans)
	programs, errs := make([]*runtime.Program, len(files)), make([]error, len(files))
	var group errgroup.Group
	group.SetLimit(goruntime.GOMAXPROCS(0))
	for i, file := range files {
		group.Go(func() error {
			programs[i], errs[i] = p.program(ctx, m, file, limits)
			return nil
		})
	}
	_ = group.Wait() // every error is in errs
	byFile := make(map[string]*runtime.Program)
	for i, program := range programs {
		if program != nil {
			byFile[files[i]] = program
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, closeAll(byFile))
	}
	return byFile, nil
}

func closeAll(programs map[string]*runtime.Program) error {
	var errs []error
	for _, program := range programs {
		errs = append(errs, program.Close())
	}
	return errors.Join(errs...)
}

// programFiles lists the files that run in the sandbox, each once.
func programFiles(plans []Plan) []string {
	var files []string
	for _, plan := range plans {
		if plan.Exec == "" && plan.Script.Absent == nil && !slices.Contains(files, plan.Script.File) {
			files = append(files, plan.Script.File)
		}
	}
	return files
}

func (p *Providers) program(ctx context.Context, m *zipmod.Module, file string, limits policy.Limits) (*runtime.Program, error) {
	if p.engine == nil {
		return nil, fmt.Errorf("script %s: there is no engine for WebAssembly; set Config.Engine", file)
	}
	program, err := p.engine.Program(ctx, m.Name+"/"+file, content(m, file), limits)
	if err != nil {
		return nil, fmt.Errorf("script %s: %w", file, err)
	}
	return program, nil
}

// sandboxed is a program with the file system and the limits of its module.
type sandboxed struct {
	program *runtime.Program
	root    *runtime.Root
	limits  policy.Limits
	observe func() (tried func(runtime.Attempt), ended func())
}

func (s sandboxed) run(ctx context.Context, argv []string, input []byte) (runtime.Output, error) {
	// An argument with a NUL cannot be told from two: WASI hands out C strings.
	if hasNUL(argv) {
		return runtime.Output{}, errNUL
	}
	tried, ended := s.observe()
	defer ended()
	out, err := s.program.Run(ctx, runtime.Guest{Args: argv, Input: input, Root: s.root, Limits: s.limits, Observe: tried})
	if err != nil {
		err = stopError{err}
	}
	return out, err
}
