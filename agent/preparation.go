package agent

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A preparation is the scripts of modules that are to be loaded, made ready before the
// table is changed: so they are made ready side by side, and nobody else who changes the
// table waits for that. Those that are not needed after all are closed, and those that
// are missing after all are made ready when they are needed.
type preparation struct {
	agent    *Agent
	loaded   func(name string) *zipmod.Module // that is required as it is; nil if there is none
	find     func(name string, by *zipmod.Module) (*zipmod.Module, error)
	grants   func(module string) Settings
	round    uint64 // of what grants says
	builtins map[string]available

	found map[requirement]found
	zips  []*zipmod.Module
	seen  map[version]bool // of zips
	made  map[version]made
	stale map[version]made // that hold the programs of those that are made instead
}

// A requirement is what one module requires.
type requirement struct {
	name string
	by   *zipmod.Module
}

// A found is the module that a requirement is met by.
type found struct {
	zip *zipmod.Module
	err error
}

// A version is the bytes of a module under its name.
type version struct{ name, digest string }

func versionOf(zip *zipmod.Module) version { return version{fold(zip.Name), zip.Digest} }

// A made is what came of making a module's scripts ready.
type made struct {
	loaded *providers.Loaded
	err    error
}

// preparation begins one with what is said about modules now.
func (a *Agent) preparation() *preparation {
	a.changing.Lock()
	defer a.changing.Unlock()
	return &preparation{agent: a, loaded: a.loaded, find: a.find, grants: a.grants, round: a.round, found: map[requirement]found{}, builtins: maps.Clone(a.builtins)}
}

// loaded is the zip module of a name that is loaded; nil if there is none.
func (a *Agent) loaded(name string) *zipmod.Module {
	if m := a.table.Load().modules[fold(name)]; m != nil {
		return m.zip
	}
	return nil
}

// make makes modules ready, with those that they require, as many at one time as there
// are processors; those are left out that are needless. close must be called in the end.
func (p *preparation) make(ctx context.Context, zips []*zipmod.Module, needless func(*zipmod.Module) bool) {
	p.seen, p.made = map[version]bool{}, map[version]made{}
	if p.agent.config.Providers == nil {
		return
	}
	for _, zip := range zips {
		p.collect(zip)
	}
	zips = slices.DeleteFunc(p.zips, needless)
	results := make([]made, len(zips))
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var group sync.WaitGroup
	for i, zip := range zips {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			results[i].loaded, results[i].err = p.load(ctx, zip)
		})
	}
	group.Wait()
	for i, zip := range zips {
		p.made[versionOf(zip)] = results[i]
	}
}

// collect lists a module and those that it requires, as far as they are found.
func (p *preparation) collect(zip *zipmod.Module) {
	if p.seen[versionOf(zip)] {
		return
	}
	p.seen[versionOf(zip)] = true
	p.zips = append(p.zips, zip)
	for _, name := range zip.Requires {
		if _, builtin := p.builtins[fold(name)]; builtin {
			continue
		}
		if required, err := p.require(name, zip); err == nil {
			p.collect(required)
		}
	}
}

// require finds what a module requires: what is loaded, else what is found, once.
func (p *preparation) require(name string, by *zipmod.Module) (*zipmod.Module, error) {
	if zip := p.loaded(name); zip != nil {
		return zip, nil
	}
	r := requirement{fold(name), by}
	f, asked := p.found[r]
	if !asked {
		f.zip, f.err = p.find(name, by)
		p.found[r] = f
	}
	return f.zip, f.err
}

// load makes the scripts of a module ready.
func (p *preparation) load(ctx context.Context, zip *zipmod.Module) (*providers.Loaded, error) {
	return p.agent.load(ctx, zip, p.grants(zip.Name))
}

// take gives away what came of making a module's scripts ready, if that was done.
func (p *preparation) take(zip *zipmod.Module) (m made, ready bool) {
	m, ready = p.made[versionOf(zip)]
	if m.err == nil {
		delete(p.made, versionOf(zip))
	}
	return m, ready
}

// renew forgets what was made if something else is said about modules by now.
func (p *preparation) renew() {
	if p.round != p.agent.round {
		p.find, p.grants = p.agent.find, p.agent.grants
		p.stale, p.made = p.made, nil
		clear(p.found)
	}
}

// close closes what nobody took.
func (p *preparation) close() error {
	var errs []error
	for _, list := range []map[version]made{p.made, p.stale} {
		for _, m := range list {
			if m.loaded != nil {
				errs = append(errs, m.loaded.Close())
			}
		}
	}
	return errors.Join(errs...)
}
