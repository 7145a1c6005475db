//go:build linux

package requests

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// An agent is a wasmagent that serves.
type agent struct {
	*process
	certificate                              certificate
	nrpeAddress, restAddress, metricsAddress string
	token                                    string // of a user who may run everything
}

// agentConfig is the beginning of every configuration. How often one peer may ask, and how
// many checks of one module run at a time, is not what is measured.
const agentConfig = `
user = %q
users = %q
[directories]
modules = %q
cache = %q
data = %q
[audit]
path = %q
[tls]
certificate = %q
key = %q
[listen]
peer_rate = 1000000
[limits]
runs = 256
[nrpe]
listen = [%q]
[rest]
listen = [%q]
[prometheus]
listen = [%q]
tls = false
anonymous = true
[modules]
CheckHelpers = true
`

// agent starts one with a name and more in its configuration, and waits until it
// answers a command. What it has compiled is there for the next one.
func (l *lab) agent(ctx context.Context, name, config, command string) (*agent, error) {
	a := &agent{certificate: l.certificate, token: l.token}
	for _, address := range []*string{&a.nrpeAddress, &a.restAddress, &a.metricsAddress} {
		var err error
		if *address, err = free(); err != nil {
			return nil, err
		}
	}
	user := "wasmagent" // whoever is not root stays who he is
	if os.Getuid() == 0 {
		user = "root"
	}
	dir := l.file(name)
	text := fmt.Sprintf(agentConfig, user, l.file("users.toml"), l.file("modules"), l.file("cache"), dir+"/data", dir+"/audit.log",
		l.certificate.file, l.certificate.key, a.nrpeAddress, a.restAddress, a.metricsAddress) + config
	file := l.file(name + ".toml")
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		return nil, err
	}
	var err error
	if a.process, err = launch(l.file(name+".log"), l.agentFile, "serve", "--config", file); err != nil {
		return nil, err
	}
	if err := a.answers(ctx, nrpe(a.nrpeAddress, command)); err != nil {
		return nil, errors.Join(err, a.stop())
	}
	return a, nil
}

// benchModule is the configuration of the module with the small checks, and goModule of
// the one with those that are built.
const (
	benchModule = "[modules.bench]\nallow = [\"/exec/sh\"]\n"
	goModule    = "[modules.checks]\n"
)
