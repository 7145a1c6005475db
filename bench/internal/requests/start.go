//go:build linux

package requests

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/wasmagent/wasmagent/internal/wasmtest"
)

// A started is how long a server took from its start to its first answer: the agent
// without compiled code of its modules, with it, and Debian's nrpe with as many commands.
type started struct {
	modules            int
	cold, warm, debian sample
}

// start starts both servers in turn.
func start(ctx context.Context, l *lab, found *findings) error {
	config, commands, last := &strings.Builder{}, map[string]string{}, ""
	for i := range l.modules {
		last = fmt.Sprintf("check_%d", i)
		text := fmt.Sprintf("OK: module %d", i) // no two programs are alike
		if err := packed(l.file("modules", last+".zip"), map[string][]byte{last + ".wasm": wasmtest.Print(text+"\n", 0)}); err != nil {
			return err
		}
		fmt.Fprintf(config, "%s = true\n", last)
		commands[last] = "echo '" + text + "'"
	}
	found.started.modules = l.modules
	agent := func() (*process, error) {
		a, err := l.agent(ctx, "start", config.String(), last)
		if err != nil {
			return nil, err
		}
		return a.process, nil
	}
	debian := func() (*process, error) {
		d, err := l.debian(ctx, commands, last)
		if err != nil {
			return nil, err
		}
		return d.process, nil
	}
	for range l.starts {
		l.say("starting with %d modules", l.modules)
		if err := os.RemoveAll(l.file("cache")); err != nil {
			return err
		}
		if err := errors.Join(found.started.cold.start(agent), found.started.warm.start(agent), found.started.debian.start(debian)); err != nil {
			return err
		}
	}
	return nil
}

// start starts a server, adds how long it took to answer, and ends it.
func (s *sample) start(launch func() (*process, error)) error {
	p, err := launch()
	if err != nil {
		return err
	}
	s.times = append(s.times, p.ready)
	return p.stop()
}
