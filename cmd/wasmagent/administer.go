package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"syscall"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
	"github.com/wasmagent/wasmagent/listen/rest"
	"github.com/wasmagent/wasmagent/trust"
)

// load loads a module until the configuration is read again, if it is not loaded.
func (s *server) load(ctx context.Context, module string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if _, loaded := named(s.agent.Modules(), module); loaded {
		return nil
	}
	now := s.now.Load()
	err := now.audited(func() error { return now.loadNamed(context.WithoutCancel(ctx), module) })
	if err == nil {
		s.watch.Set(now.files())
		s.log.Info("module is loaded", "module", module, "by", "rest")
	}
	return err
}

// unload unloads a module until the configuration is read again.
func (s *server) unload(ctx context.Context, module string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if _, loaded := named(s.agent.Modules(), module); !loaded {
		return fmt.Errorf("module %s is not loaded: %w", module, fs.ErrNotExist)
	}
	err := s.agent.Unload(ctx, module)
	if err == nil {
		s.log.Info("module is unloaded", "module", module, "by", "rest")
	}
	return err
}

// enable has config.toml say whether a module is loaded, and takes that.
func (s *server) enable(ctx context.Context, module string, enabled bool) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	now := s.now.Load()
	if _, builtin := config.Builtin(module); !builtin {
		if _, err := now.library.path(module); err != nil && enabled {
			return &rest.Refusal{Status: http.StatusNotFound, Err: fmt.Errorf("module %s: %w", module, err)}
		}
		if _, named := now.config.Module(module); !named && !enabled {
			return fmt.Errorf("module %s: config.toml has no such module: %w", module, fs.ErrNotExist)
		}
	}
	return s.edited(ctx, config.Enable(module, enabled))
}

// edited takes what config.toml would say after changes of it, and writes them
// down. After an error all is as it was. It goes on if nobody waits for the answer any
// more. s.changing is held.
func (s *server) edited(ctx context.Context, changes ...config.Change) error {
	now, ctx := s.now.Load(), context.WithoutCancel(ctx)
	if now.config.File == "" {
		return conflict(errors.New("the agent runs without a config.toml, in which that would be written; make one, and start it again"))
	}
	if _, err := os.Stat(now.config.File); err != nil {
		return conflict(err)
	}
	var taken *config.Config
	err := config.EditIf(now.config.File, func(c config.Config) error {
		err := s.change(ctx, c)
		if err == nil {
			taken = &c
		}
		return conflict(err)
	}, changes...)
	switch {
	case err == nil: // it is not to be reloaded, which would undo load and unload
		s.watch.Expect(now.config.File, func() bool {
			c, err := config.Load(now.config.File)
			return err == nil && c.Equal(*taken)
		})
	case taken != nil:
		err = errors.Join(err, s.change(ctx, now.config))
	}
	return unwritable(err)
}

// upload takes a zip that arrives as a module: it is verified, put among the
// installed ones, named in config.toml and loaded, or nothing of it is left.
func (s *server) upload(ctx context.Context, module string, zip io.Reader, signature []byte) error {
	if !s.uploading.TryLock() {
		return &rest.Refusal{Status: http.StatusServiceUnavailable, Err: errors.New("another upload is under way; try again when it is done")}
	}
	defer s.uploading.Unlock()
	archive, err := io.ReadAll(zip) // which fails beyond the limit
	if err != nil {
		return err
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	now := s.now.Load()
	c, err := now.uploaded(ctx, module, archive, signature)
	if err != nil {
		return err
	}
	shelf := newShelf(now.config)
	return unwritable(shelf.put(c.module.Name, c.parcel, func(file string) ([]config.Change, error) {
		return nil, s.edited(ctx, config.Path(c.module.Name, shelf.path(file)), config.Enable(c.module.Name, true))
	}))
}

// conflict is why something cannot be, as the agent and its configuration are.
func conflict(err error) error {
	if err == nil {
		return nil
	}
	return &rest.Refusal{Status: http.StatusConflict, Err: err}
}

// unwritable says what to do where the agent may not write, as in packages, whose
// configuration is root's.
func unwritable(err error) error {
	if refusal := (&rest.Refusal{}); errors.As(err, &refusal) || !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS) {
		return err
	}
	return conflict(fmt.Errorf("%w: the agent may change neither its config.toml nor its modules directory; do it there as their owner, with wasmagent install or an editor, or let the agent write there: docs/service.md says how", err))
}

// uploaded verifies a zip that has arrived and makes sure that it is a module.
func (s *setup) uploaded(ctx context.Context, module string, archive, signature []byte) (*candidate, error) {
	refuse := func(status int, err error) error { return &rest.Refusal{Status: status, Err: err} }
	if builtin, ok := config.Builtin(module); ok {
		return nil, refuse(http.StatusConflict, fmt.Errorf("module %s is built in, and nothing else can have its name", builtin))
	}
	source, err := fetch.Parse(module+".zip", "")
	if err != nil {
		return nil, refuse(http.StatusBadRequest, err)
	}
	entry, _ := s.config.Module(module)
	c, err := s.candidate(ctx, source, parcelOf(archive, signature), entry.Pin)
	if u := (untrustedError{}); errors.As(err, &u) {
		auditUntrusted(s.audit, err)
		return nil, refuse(http.StatusForbidden, u)
	} else if err != nil {
		return nil, refuse(cmp.Or(statusOfContext(ctx), http.StatusBadRequest), err)
	}
	return c, nil
}

// parcelOf is a zip with the signature that came along, if one did.
func parcelOf(archive, signature []byte) fetch.Parcel {
	p := fetch.Parcel{Archive: archive, Signature: signature}
	switch {
	case len(signature) > trust.MaxSignature:
		p = fetch.Parcel{Archive: archive, Unsigned: fmt.Errorf("the signature is larger than %d bytes, as none of minisign is", trust.MaxSignature)}
	case len(signature) == 0:
		p.Unsigned = fmt.Errorf("none came along; send NAME.zip%s in base64 in the header %s", trust.Extension, rest.SignatureHeader)
	}
	return p
}

// statusOfContext is the status of a request that nobody waits for any more; zero of
// another one.
func statusOfContext(ctx context.Context) int {
	if ctx.Err() != nil {
		return http.StatusServiceUnavailable
	}
	return 0
}
