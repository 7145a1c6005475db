package providers

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// root is the file system of a module's programs: its zip, and those facts that
// it may read.
func (p *Providers) root(m *zipmod.Module, access policy.Access) (*runtime.Root, error) {
	files := make([]runtime.File, len(m.Files))
	for i, f := range m.Files {
		files[i] = runtime.File{Name: f.Name, Data: f.Data, ModTime: f.ModTime}
	}
	facts := make(map[string]runtime.Fact)
	for name, fact := range p.facts {
		if access.Allows("/host/" + name) {
			facts[name] = fact
		}
	}
	return runtime.NewRoot(files, facts)
}

// compile makes the module's programs, each file once, by file.
func (p *Providers) compile(ctx context.Context, m *zipmod.Module, plans []Plan, limits policy.Limits) (map[string]*runtime.Program, error) {
	var (
		mu       sync.Mutex
		group    errgroup.Group
		errs     = make(map[string]error)
		programs = make(map[string]*runtime.Program)
		files    = programFiles(plans)
	)
	group.SetLimit(goruntime.GOMAXPROCS(0))
	for _, file := range files {
		group.Go(func() error {
			program, err := p.program(ctx, m, file, limits)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs[file] = fmt.Errorf("script %s: %w", file, err)
			} else {
				programs[file] = program
			}
			return nil
		})
	}
	_ = group.Wait() // every error is in errs
	if len(errs) == 0 {
		return programs, nil
	}
	for _, program := range programs {
		errs[""] = errors.Join(errs[""], program.Close())
	}
	return nil, inOrder(files, errs)
}

// inOrder joins the errors in the order of their files; "" comes last.
func inOrder(files []string, errs map[string]error) error {
	var joined []error
	for _, file := range append(files, "") {
		joined = append(joined, errs[file])
	}
	return errors.Join(joined...)
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
		return nil, errors.New("there is no engine for WebAssembly; set Config.Engine")
	}
	return p.engine.Program(ctx, m.Name+"/"+file, content(m, file), limits)
}

// sandboxed is a program with the file system and the limits of its module.
type sandboxed struct {
	program *runtime.Program
	root    *runtime.Root
	limits  policy.Limits
}

func (s sandboxed) run(ctx context.Context, argv []string) (runtime.Output, error) {
	// An argument with a NUL cannot be told from two: WASI hands out C strings.
	if hasNUL(argv) {
		return runtime.Output{}, errNUL
	}
	out, err := s.program.Run(ctx, runtime.Guest{Args: argv, Root: s.root, Limits: s.limits})
	if err != nil {
		err = stopError{err}
	}
	return out, err
}
