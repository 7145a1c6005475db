package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/access/hostkey"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/ports"
	"github.com/wasmagent/wasmagent/listen"
	"github.com/wasmagent/wasmagent/listen/nrpe"
	"github.com/wasmagent/wasmagent/listen/prometheus"
	"github.com/wasmagent/wasmagent/listen/rest"
)

// wanted lists the listeners of a plan.
func (s *server) wanted(p *plan) ([]ports.Port, error) {
	c := p.setup.config
	var list []ports.Port
	var errs []error
	for _, l := range []struct {
		protocol string
		config.Listener
		handler listen.Handler
	}{
		{"nrpe", c.NRPE.Listener, nrpe.Handler{Runner: s.agent, Commands: c.NRPE.Commands, AllowArguments: c.NRPE.AllowArguments, Version: "wasmagent " + version()}},
		{"rest", c.REST.Listener, s.rest(c)},
		{"prometheus", c.Prometheus.Listener, listen.HTTP{Handler: s.prometheus(c)}},
	} {
		if len(l.Addresses) == 0 {
			continue
		}
		settings, err := s.listener(p, l.Listener)
		if err != nil {
			errs = append(errs, prefix(l.protocol, err))
		}
		settings.Handler = l.handler
		for _, address := range l.Addresses {
			list = append(list, ports.Port{Protocol: l.protocol, Address: address, Settings: settings})
		}
	}
	return list, errors.Join(append(errs, prefix("tls", p.uncertified))...)
}

// listener is what all protocols have in common.
func (s *server) listener(p *plan, l config.Listener) (listen.Settings, error) {
	c := p.setup.config
	hosts, err := s.hosts(p, l.AllowedHosts)
	if err != nil {
		return listen.Settings{}, err
	}
	settings := listen.Settings{Allowed: hosts.Allows, Limits: limitsOf(c.Listen), Log: s.log}
	if l.TLS {
		settings.TLS, err = s.tls(p, l)
	}
	return settings, err
}

// hosts are those of a list. If there was the same list before, they keep what they
// know of the addresses of names.
func (s *server) hosts(p *plan, list config.Hosts) (hosts *access.Hosts, err error) {
	key := strings.Join(list, " ")
	if s.taken != nil {
		hosts = s.taken.hosts[key]
	}
	if hosts == nil {
		hosts, err = access.ParseHosts(list)
	}
	p.hosts[key] = hosts
	return hosts, err
}

// tls is how a listener speaks TLS. All have one certificate; why there is none is
// said once.
func (s *server) tls(p *plan, l config.Listener) (_ *tls.Config, err error) {
	if p.certificate == nil && p.uncertified == nil {
		p.certificate, p.uncertified = s.certificate(p.setup.config)
	}
	if p.uncertified != nil || l.ClientCA.File == "" {
		return hostkey.Server(p.certificate, nil), nil
	}
	clients, err := hostkey.OpenClients(l.ClientCA.File, s.log)
	if err != nil {
		return nil, err
	}
	return hostkey.Server(p.certificate, clients), nil
}

// certificate is that of a configuration: the operator's, or that of the host key.
func (s *server) certificate(c config.Config) (*hostkey.Source, error) {
	switch {
	case c.TLS.Certificate != "":
		return hostkey.Open(hostkey.Files{Certificate: c.TLS.Certificate, Key: c.TLS.Key}, s.log)
	case c.Directories.Data == "":
		return nil, errors.New("there is no place for the host key; set data in [directories] of config.toml, or certificate and key in [tls]")
	}
	return hostkey.Host(filepath.Join(c.Directories.Data, "tls"), s.log)
}

// accounts are the users of a configuration. If somebody has to log in and there have
// been none yet, one is made, whose password is told once. A file that is gone is an
// error: nobody is to be let in because of it.
func (s *server) accounts(c config.Config) (*access.Accounts, error) {
	if len(c.REST.Addresses) == 0 && len(c.Prometheus.Addresses) == 0 {
		return nil, nil
	}
	if c.Users == "" {
		return nil, errors.New("there is no place for the users; set users in config.toml")
	}
	if s.taken != nil && s.taken.accounts != nil {
		return access.Load(c.Users)
	}
	password, err := access.Create(c.Users)
	if err != nil {
		return nil, err
	}
	if password != "" {
		fmt.Fprintf(s.app.stderr, "The first user is made, in %s:\n\n    user      %s\n    password  %s\n\nThe password is told this once. Change it with: wasmagent user password %[2]s\n\n", c.Users, access.LegacyUser, password)
	}
	return access.Load(c.Users)
}

// authenticate says who sends a request.
func (s *server) authenticate(r *http.Request) (access.Identity, error) {
	return s.users.Authenticate(r.Context(), access.FromRequest(r))
}

// prometheus is what Prometheus servers ask.
func (s *server) prometheus(c config.Config) http.Handler {
	return prometheus.New(prometheus.Config{
		Metrics:      s.metrics,
		Run:          s.agent,
		Authenticate: s.authenticate,
		Anonymous:    c.Prometheus.Anonymous,
		Log:          s.log,
	})
}

// rest is the REST API.
func (s *server) rest(c config.Config) listen.Handler {
	archive := int64(c.Limits.WithDefaults().Archive)
	return listen.HTTP{MaxBody: archive, Refuse: rest.Refuse, Handler: rest.New(s.api(c, archive))}
}

func limitsOf(b config.Bounds) listen.Limits {
	return listen.Limits{
		Connections: b.Connections, Requests: b.Requests,
		PeerConnections: b.PeerConnections, PeerRequests: b.PeerRequests, PeerRate: float64(b.PeerRate),
		Request: b.RequestTime, Idle: b.IdleTime, Write: b.WriteTime,
	}
}
