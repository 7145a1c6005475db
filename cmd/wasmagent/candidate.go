package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/trust"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A candidate is a module that was fetched and verified, and that could be
// loaded. It is in no place yet.
type candidate struct {
	source fetch.Source
	parcel fetch.Parcel
	module *zipmod.Module
	plans  []providers.Plan
	ruling *ruling
}

// A fetching is what flags say of how modules are fetched.
type fetching struct {
	timeout time.Duration
	sha256  string
}

// timeoutFlag adds --timeout to a command.
func (f *fetching) timeoutFlag(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&f.timeout, "timeout", 10*time.Minute, "give up a transfer after this `TIME`")
}

// digestFlag adds --sha256 to a command.
func (f *fetching) digestFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.sha256, "sha256", "", "take only the zip with this `DIGEST`, which vouches for it where [trust] requires a digest")
}

// pin is the digest that was asked for; empty is any.
func (f fetching) pin() (trust.Digest, error) {
	if f.sha256 == "" {
		return "", nil
	}
	var pin trust.Digest
	if err := pin.UnmarshalText([]byte(f.sha256)); err != nil {
		return "", fmt.Errorf("--sha256 %.80q: %w", f.sha256, err)
	}
	return pin, nil
}

// transfer does one transfer from or to a source, in the time that there is for it.
func (f fetching) transfer(ctx context.Context, source fetch.Source, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, f.timeout, fmt.Errorf("it took longer than %v; raise --timeout", f.timeout))
	defer cancel()
	err := do(ctx)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%s: %w", source, context.Cause(ctx))
	}
	return err
}

// client makes what fetches the module of a name, of which a zip may be there.
func (l *library) client(name string, have []byte) fetch.Client {
	limits := l.limits(name + ".zip").WithDefaults()
	return fetch.Client{Limit: limits.Archive, Have: have, Roots: l.config.CA.Pool(), Name: "wasmagent/" + version()}
}

// fetch gets a module and verifies it before it reads it. pin is the digest that
// it must have, empty for any; have is a zip that is there.
func (a *app) fetch(ctx context.Context, s *setup, f fetching, source fetch.Source, pin trust.Digest, have []byte) (*candidate, error) {
	client := s.library.client(source.Module(), have)
	arrived, done := newProgress(a.stderr).arriving(source.Module())
	client.Arrived = arrived
	var parcel fetch.Parcel
	err := f.transfer(ctx, source, func(ctx context.Context) (err error) {
		parcel, err = client.Fetch(ctx, source)
		return err
	})
	done()
	if err != nil {
		return nil, err
	}
	return s.candidate(ctx, source, parcel, pin)
}

// candidate verifies what was fetched, reads it, and makes sure that its programs
// can be run.
func (s *setup) candidate(ctx context.Context, source fetch.Source, parcel fetch.Parcel, pin trust.Digest) (*candidate, error) {
	if pin == "" && source.Fixed() {
		pin = trust.DigestOf(parcel.Archive) // by the digest that the source names
	}
	c := &candidate{source: source, parcel: parcel}
	c.ruling = s.library.rule(source.Module(), pin, parcel.Archive, func() ([]byte, error) { return parcel.Signature, parcel.Unsigned })
	if c.ruling.refused != nil {
		return nil, prefix(source.String(), c.ruling.refused)
	}
	var err error
	if c.module, err = s.validate(ctx, source.Module()+".zip", parcel.Archive); err == nil {
		c.plans, err = s.providers.Plans(c.module)
	}
	if err != nil {
		return nil, prefix(source.String(), err)
	}
	return c, nil
}

// asked are the permissions that the module asks for.
func (c *candidate) asked() policy.Patterns { return providers.Asked(c.module, c.plans) }

// inspection shows the module.
func (c *candidate) inspection(granted policy.Grants, mounts config.Mounts) inspection {
	i := inspectionOf(c.module, c.plans, granted, mounts)
	i.judge(c.ruling)
	return i
}

// place puts the module where config.toml finds it, with grants beside those
// that it has.
func (c *candidate) place(s *setup, grants policy.Grants) error {
	name, shelf := c.module.Name, newShelf(s.config)
	err := shelf.put(name, c.parcel, func(file string) ([]config.Change, error) {
		entry, _ := s.config.Module(name)
		entry.Path, entry.Pin, entry.Allow = file, trust.Digest(c.module.Digest), append(entry.Allow[:len(entry.Allow):len(entry.Allow)], grants...)
		if err := s.wouldLoad(name, entry); err != nil {
			return nil, fmt.Errorf("module %s could not be loaded: %w", name, err)
		}
		changes := []config.Change{
			config.Path(name, shelf.path(file)),
			config.From(name, c.source),
			config.Pin(name, entry.Pin),
		}
		if len(grants) > 0 {
			changes = append(changes, config.Allow(name, grants))
		}
		return changes, nil
	})
	if err == nil && len(grants) > 0 {
		s.auditGranted(name, grants)
	}
	return err
}
