// Package ports holds the agent's listeners, and changes all of them together.
//
// Guarantees: a change first binds every new address, which can fail and then leaves
// everything as it was, and no request is served there before the change is made. A
// listener whose address stays is never closed. One that goes answers the requests
// that it has.
//
// Ports are safe for concurrent use; changes are made one after the other.
package ports

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wasmagent/wasmagent/listen"
)

// drain is how long a listener that goes has to answer its requests.
const drain = 30 * time.Second

// A Port is a listener that is wanted.
type Port struct {
	// Protocol is its name for people.
	Protocol string
	// Address is where it listens, as net.Listen takes it.
	Address string
	// Settings are those of the listener.
	Settings listen.Settings
}

// An Open is a listener that is open.
type Open struct {
	// Protocol and Address are those of the Port.
	Protocol, Address string
	// Bound is the address with its port.
	Bound net.Addr
	// Counts are what came to it.
	Counts listen.Counts
}

// Ports are the open listeners. The zero Ports have none.
type Ports struct {
	// Log hears of every listener that opens and closes.
	Log *slog.Logger

	mu      sync.Mutex
	open    []opened
	closing sync.WaitGroup
}

// An opened is one listener with what it is for.
type opened struct {
	Open
	listener *listen.Listener
}

// A Change is listeners in the making. Either Make or Abandon ends it.
type Change struct {
	ports *Ports
	want  []Port
	keep  []opened       // by the index of want; zero of a new one
	bound []net.Listener // by the index of want; nil of one that stays
}

// Change prepares that these are the listeners: it binds the addresses that are new.
// The error names every one that cannot be.
func (p *Ports) Change(want []Port) (*Change, error) {
	c := &Change{ports: p, want: want, keep: make([]opened, len(want)), bound: make([]net.Listener, len(want))}
	p.mu.Lock()
	left := slices.Clone(p.open)
	p.mu.Unlock()
	var errs []error
	for i, port := range want {
		if at := slices.IndexFunc(left, func(o opened) bool { return o.Address == port.Address }); at >= 0 {
			c.keep[i] = left[at]
			left = slices.Delete(left, at, at+1)
			continue
		}
		socket, err := net.Listen("tcp", port.Address)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s cannot listen on %s: %w%s", port.Protocol, port.Address, reason(err), p.overlap(port.Address)))
			continue
		}
		c.bound[i] = socket
	}
	if errs != nil {
		c.Abandon()
		return nil, errors.Join(errs...)
	}
	return c, nil
}

// reason is why an address cannot be bound, without the address.
func reason(err error) error {
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return op.Err
	}
	return err
}

// overlap says what to do about an address that cannot be bound as the agent itself
// listens on a part of it, or on more; empty if it does not.
func (p *Ports) overlap(address string) string {
	_, port, _ := net.SplitHostPort(address)
	for _, o := range p.Open() {
		if _, own, _ := net.SplitHostPort(o.Bound.String()); own == port {
			return fmt.Sprintf("; the agent listens on %s, and has to be started again to change from one to the other", o.Address)
		}
	}
	return ""
}

// Abandon leaves all as it was.
func (c *Change) Abandon() {
	for _, socket := range c.bound {
		if socket != nil {
			socket.Close()
		}
	}
}

// Make makes the change: listeners that stay get their new settings, new ones serve
// what has waited for them, and the others close in the background.
func (c *Change) Make() error {
	p := c.ports
	p.mu.Lock()
	defer p.mu.Unlock()
	var now []opened
	var errs []error
	for i, port := range c.want {
		o, err := c.make(i, port)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", port.Protocol, err))
			continue
		}
		now = append(now, o)
	}
	for _, o := range p.open {
		if !slices.ContainsFunc(now, func(other opened) bool { return other.listener == o.listener }) {
			p.closing.Go(func() { p.close(o) })
		}
	}
	p.open = now
	return errors.Join(errs...)
}

// make makes one listener as it is wanted.
func (c *Change) make(i int, port Port) (o opened, err error) {
	if o = c.keep[i]; o.listener != nil {
		o.Protocol = port.Protocol
		return o, o.listener.Set(port.Settings)
	}
	if o.listener, err = listen.Serve(c.bound[i], port.Settings); err != nil {
		c.bound[i].Close()
		return o, err
	}
	o.Open = Open{Protocol: port.Protocol, Address: port.Address, Bound: o.listener.Addr()}
	c.ports.Log.Info("listening", "protocol", o.Protocol, "address", o.Bound.String())
	return o, nil
}

// close closes a listener that is none of the ports any more.
func (p *Ports) close(o opened) {
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if err := o.listener.Close(ctx); err != nil {
		p.Log.Warn("a listener was not closed cleanly", "protocol", o.Protocol, "error", err)
	}
	p.Log.Info("not listening any more", "protocol", o.Protocol, "address", o.Bound.String())
}

// Open lists the open listeners.
func (p *Ports) Open() (list []Open) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.open {
		o.Counts = o.listener.Counts()
		list = append(list, o.Open)
	}
	slices.SortStableFunc(list, func(a, b Open) int { return strings.Compare(a.Protocol, b.Protocol) })
	return list
}

// Addrs lists their addresses.
func (p *Ports) Addrs() (list []net.Addr) {
	for _, o := range p.Open() {
		list = append(list, o.Bound)
	}
	return list
}

// Close closes all listeners, and returns when their requests are answered.
func (p *Ports) Close() {
	if c, err := p.Change(nil); err == nil {
		_ = c.Make()
	}
	p.closing.Wait()
}
