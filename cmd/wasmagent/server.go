package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/daemon"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/ports"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/watch"
	"github.com/wasmagent/wasmagent/internal/journal"
	"github.com/wasmagent/wasmagent/listen/rest"
	"github.com/wasmagent/wasmagent/metrics"
	"github.com/wasmagent/wasmagent/schedule"
)

// A server is an agent that stays, with all that asks it and all that it tells.
type server struct {
	app        *app
	agent      *agent.Agent
	log        *slog.Logger
	ports      *ports.Ports
	scheduler  *schedule.Scheduler
	metrics    *metrics.Metrics
	users      *access.Users
	level      *slog.LevelVar           // the least that is logged
	recorder   atomic.Pointer[recorder] // of events; nil is none
	logs       *rest.Logs               // the end of the log
	events     *rest.Events             // the last ones
	watch      *watch.Watch
	supervisor daemon.Supervisor

	changing   sync.Mutex            // held while the configuration is changed
	uploading  sync.Mutex            // held while a zip arrives
	now        atomic.Pointer[setup] // what holds
	taken      *plan                 // the one that holds; changing guards it
	background sync.WaitGroup        // what runs until the server is closed
	followers  sync.WaitGroup        // of events, until the agent is closed
	lost       sync.Map              // how many events each follower has lost, by its name
	began      chan struct{}         // closed when the first configuration is taken
}

// settle is how long a file has to look the same before it is read.
const settle = 200 * time.Millisecond

// newServer makes a server of an agent without modules, which nobody can ask yet.
func newServer(a *app, s *setup, open *ports.Ports, level *slog.LevelVar) (*server, error) {
	srv := &server{
		app: a, agent: s.agent, log: s.log, ports: open, supervisor: daemon.Find(os.Getenv, s.log),
		users: access.NewUsers(nil), level: level, logs: s.options.logs, events: rest.NewEvents(),
		began: make(chan struct{}),
	}
	open.Log, srv.users.Log = s.log, s.log
	srv.now.Store(s)
	srv.scheduler = schedule.New(schedule.Config{Run: s.agent.RunScheduled, Log: s.log})
	srv.metrics = metrics.New(srv.figures())
	var err error
	srv.watch, err = watch.New(settle, s.log)
	return srv, err
}

// run serves until ctx ends.
func (s *server) run(ctx context.Context) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	defer s.supervisor.Stopping()
	background, stop := context.WithCancel(context.Background())
	defer s.close(stop)
	s.follow("log", s.logEvent)
	s.follow("metrics", s.metrics.Observe)
	s.follow("rest", s.events.Observe)
	s.follow("file", func(e check.Event) {
		if r := s.recorder.Load(); r != nil {
			r.record(e)
		}
	})
	if err := s.begin(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	close(s.began)
	s.background.Go(func() { s.scheduler.Serve(background) })
	go s.supervisor.Watch(ctx, s.agent.Ping)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangup:
			_ = s.reload(ctx, "SIGHUP") // it is logged
		case <-s.watch.Changed():
			_ = s.reload(ctx, "files")
		}
	}
}

// begin takes the first configuration. Of its modules those are loaded that can be.
func (s *server) begin(ctx context.Context) error {
	now := s.now.Load()
	p, err := s.plan(now)
	if err != nil {
		return prefix("the agent cannot serve", err)
	}
	for _, err := range each(now.audited(func() error { return now.loadEnabled(ctx) })) {
		s.log.Error(err.Error())
	}
	if ctx.Err() != nil {
		s.abandon(p)
		return nil
	}
	s.take(p)
	now.warnRestricted(s.agent.Modules())
	now.warnDegraded(s.agent.Modules())
	s.metrics.Reloaded(time.Now(), nil)
	s.log.Info("ready", append([]any{"config", now.config.File, "modules", len(s.agent.Modules()), "commands", len(s.agent.Commands())}, s.addresses()...)...)
	s.supervisor.Ready(s.standing())
	return nil
}

// addresses are those of the listeners, for a line of the log.
func (s *server) addresses() (attrs []any) {
	for _, o := range s.ports.Open() {
		attrs = append(attrs, o.Protocol, o.Bound.String())
	}
	return attrs
}

// standing is how the agent stands, in one line for a service manager.
func (s *server) standing() string {
	return fmt.Sprintf("%d modules, %d commands", len(s.agent.Modules()), len(s.agent.Commands()))
}

// close ends what asks the agent, then what runs beside it.
func (s *server) close(stop func()) {
	s.log.Info("stopping")
	s.watch.Close()
	s.events.Close()
	s.ports.Close()
	stop()
	if s.taken != nil && s.taken.exporter != nil {
		s.closeExporter(s.taken.exporter)
	}
	s.background.Wait()
}

// eventBuffer is how many events may wait for a follower.
const eventBuffer = 1024

// follow has every event handled, one after the other, until the agent is closed. One
// that is too slow loses events, which are counted under its name.
func (s *server) follow(name string, handle func(check.Event)) {
	events, _ := s.agent.Subscribe(eventBuffer)
	lost := &atomic.Uint64{}
	s.lost.Store(name, lost)
	s.followers.Go(func() {
		last := uint64(0)
		for e := range events {
			lost.Add(e.Number - last - 1)
			last = e.Number
			handle(e)
		}
	})
}

// logEvent logs a run.
func (s *server) logEvent(e check.Event) {
	if !s.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	s.log.Debug("ran", "number", e.Number, "command", e.Request.Command, "module", e.Module, "origin", e.Request.Origin,
		"state", e.Result.State, "text", e.Result.Text, "wall", e.Result.Usage.Wall)
}

// figures say where the metrics come from.
func (s *server) figures() metrics.Config {
	return metrics.Config{
		Version:   version(),
		Checks:    s.lastEvents,
		Missed:    s.missed,
		Running:   s.agent.Running,
		Modules:   s.moduleFigures,
		Listeners: s.listenerFigures,
		Lost:      s.lostEvents,
	}
}

// lastEvents are those of the scheduled checks that have run.
func (s *server) lastEvents() (events []check.Event) {
	for _, c := range s.scheduler.Checks() {
		if c.Last.Standing != nil {
			events = append(events, c.Last)
		}
	}
	return events
}

func (s *server) missed() map[string]uint64 {
	missed := map[string]uint64{}
	for _, c := range s.scheduler.Checks() {
		missed[c.Check.Name] = c.Missed
	}
	return missed
}

func (s *server) moduleFigures() (list []metrics.Module) {
	for _, m := range s.agent.Modules() {
		list = append(list, metrics.Module{Name: m.Name, State: m.State(), Version: m.Version, Digest: m.Digest})
	}
	return list
}

func (s *server) listenerFigures() (list []metrics.Listener) {
	for _, o := range s.ports.Open() {
		list = append(list, metrics.Listener{
			Name:        o.Protocol + " " + o.Bound.String(),
			Connections: o.Counts.Connections,
			Requests:    o.Counts.Requests,
			Accepted:    o.Counts.Accepted,
			Served:      o.Counts.Served,
			Refused:     o.Counts.Refused,
		})
	}
	return list
}

// record has events written to another file, or goes on with the one that it is.
func (s *server) record(e config.Events) {
	switch {
	case e.Path == "":
		s.recorder.Store(nil)
	case s.taken == nil || s.taken.setup.config.Events != e:
		s.recorder.Store(newRecorder(journal.New(journal.Config{Path: e.Path, Size: int64(e.Size), Keep: e.Keep}), s.log))
	}
}

func (s *server) lostEvents() map[string]uint64 {
	return maps.Collect(func(yield func(string, uint64) bool) {
		s.lost.Range(func(name, lost any) bool { return yield(name.(string), lost.(*atomic.Uint64).Load()) })
	})
}

// warnRestricted warns of modules that lack a grant.
func (s *setup) warnRestricted(modules []agent.Status) {
	for _, m := range modules {
		if len(m.Uncovered) > 0 {
			s.log.Warn("module is restricted", "module", m.Name, "not granted", m.Uncovered)
		}
	}
}

// warnDegraded warns of on_start lines that failed.
func (s *setup) warnDegraded(modules []agent.Status) {
	for _, m := range modules {
		for _, problem := range m.Failed {
			s.log.Warn("module is degraded", "module", m.Name, "problem", problem)
		}
	}
}
