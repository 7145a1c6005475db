//go:build linux

package requests

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
)

// A check is one that both servers have, by the same name.
type check struct {
	command       string
	title         string
	agent, debian string // what it is there
	line          string // for nrpe.cfg
}

// checks are all of them. Where the agent has what nrpe has not, nrpe has the least that
// it can run: what the shell, which it starts for every command, does itself.
func (l *lab) checks() []check {
	echo := "echo '" + answer + "'"
	return []check{
		{"check_ok", "built-in", "a command that is compiled in", "`echo` of its shell", echo},
		{"check_smallest", "smallest", "150 bytes of WebAssembly", "`echo` of its shell", echo},
		{"check_sdk", "Go", "a Go check on the SDK, in the sandbox", "the same program as a process", l.file("check_sdk")},
		{"check_script", "script", "a script of `sh`, confined", "the same script, not confined", l.file("check_script")},
	}
}

// A pair is a figure of both servers.
type pair[T any] struct{ agent, debian T }

// A request is what it took to ask for one check.
type request struct {
	check   check
	clients int
	nrpe    pair[sample]
	rest    sample
}

// A spawn is what a start of check_nrpe took, to its end.
type spawn struct {
	check check
	nrpe  pair[sample]
}

// compare has both servers asked in turn.
func compare(ctx context.Context, l *lab, found *findings) (err error) {
	a, err := l.agent(ctx, "bench", benchModule+goModule, "check_sdk") // it compiles
	if err != nil {
		return err
	}
	if err := a.stop(); err != nil {
		return err
	}
	if a, err = l.agent(ctx, "bench", benchModule+goModule, "check_sdk"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.stop()) }()
	lines := map[string]string{}
	for _, c := range l.checks() {
		lines[c.command] = c.line
	}
	d, err := l.debian(ctx, lines, "check_sdk")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	both := &rivals{l, a, d}
	if err := both.warm(); err != nil {
		return err
	}
	if found.idle, err = both.memory(); err != nil {
		return err
	}
	if found.spawns, err = both.spawn(ctx); err != nil {
		return err
	}
	for _, c := range l.checks() {
		for _, n := range l.clients {
			measured, err := both.ask(ctx, c, n)
			if err != nil {
				return err
			}
			found.requests = append(found.requests, measured)
		}
	}
	found.loaded, err = both.memory()
	return err
}

// rivals are the two servers.
type rivals struct {
	lab    *lab
	agent  *agent
	debian *debian
}

// warm asks for every check once, which has to be answered.
func (b *rivals) warm() error {
	for _, c := range b.lab.checks() {
		ask, leave := b.agent.rest(c.command)
		defer leave()
		for server, ask := range map[string]func() error{
			"the agent, by NRPE": nrpe(b.agent.nrpeAddress, c.command),
			"the agent, by REST": ask,
			"Debian's nrpe":      nrpe(b.debian.nrpeAddress, c.command),
		} {
			if err := ask(); err != nil {
				return fmt.Errorf("%s, of %s: %w", c.command, server, err)
			}
		}
	}
	return nil
}

func (b *rivals) memory() (p pair[memory], err error) {
	if p.agent, err = b.agent.memory(); err != nil {
		return p, err
	}
	p.debian, err = b.debian.memory()
	return p, err
}

// ask has clients ask for a check, in as many rounds as are planned.
func (b *rivals) ask(ctx context.Context, c check, clients int) (r request, err error) {
	b.lab.say("asking for %s, %d at a time", c.command, clients)
	r = request{check: c, clients: clients}
	agents, debians, rests := make([]func() error, clients), make([]func() error, clients), make([]func() error, clients)
	for i := range clients {
		var leave func()
		agents[i], debians[i] = nrpe(b.agent.nrpeAddress, c.command), nrpe(b.debian.nrpeAddress, c.command)
		rests[i], leave = b.agent.rest(c.command)
		defer leave()
		if err := rests[i](); err != nil { // it connects
			return r, err
		}
	}
	for range b.lab.rounds {
		for _, turn := range []struct {
			server  *process
			clients []func() error
			sum     *sample
		}{
			{b.agent.process, agents, &r.nrpe.agent},
			{b.debian.process, debians, &r.nrpe.debian},
			{b.agent.process, rests, &r.rest},
		} {
			s, err := turn.server.load(ctx, b.lab.time, turn.clients)
			if err = errors.Join(err, context.Cause(ctx)); err != nil {
				return r, err
			}
			turn.sum.add(s)
		}
	}
	return r, nil
}

// spawn starts the real check_nrpe, for the agent and for Debian's nrpe in turn.
func (b *rivals) spawn(ctx context.Context) (list []spawn, err error) {
	for _, c := range b.lab.checks() {
		b.lab.say("starting check_nrpe for %s", c.command)
		s := spawn{check: c}
		for range b.lab.spawns {
			s.nrpe.agent.once(func() error { return b.checkNRPE(ctx, b.agent.nrpeAddress, c.command) })
			s.nrpe.debian.once(func() error { return b.checkNRPE(ctx, b.debian.nrpeAddress, c.command) })
		}
		list = append(list, s)
	}
	return list, context.Cause(ctx)
}

// checkNRPE runs check_nrpe from its start to its end.
func (b *rivals) checkNRPE(ctx context.Context, address, command string) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	said, err := exec.CommandContext(ctx, b.lab.checkNRPE, "-H", host, "-p", port, "-c", command).Output()
	if err != nil {
		return fmt.Errorf("check_nrpe: %w: %s", err, said)
	}
	return isOK(0, string(said))
}
