package access

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

const (
	// maxHosts is the most hosts in one list, of which each may be a name.
	maxHosts = 1024
	// maxNames is the most names in one list: they are looked up at one time.
	maxNames = 32
)

// How long the addresses of a name are held.
const (
	lookupTime = 2 * time.Second  // the longest look-up
	fresh      = time.Minute      // until a name is looked up again
	retry      = 10 * time.Second // the same when that has failed
	stale      = 10 * time.Minute // until addresses are forgotten that cannot be looked up again
)

// Hosts are those that may connect: addresses, ranges of addresses and names. A
// nil Hosts is nobody.
type Hosts struct {
	ranges []netip.Prefix
	names  []*hostName
}

// ParseHosts reads addresses such as "192.0.2.1", ranges such as
// "2001:db8::/32" and names such as "monitor.example.com". The error names
// everything that is none of them. Names are not looked up before somebody asks.
func ParseHosts(list []string) (*Hosts, error) {
	h := &Hosts{}
	var errs []error
	for _, text := range list {
		errs = append(errs, h.add(text))
	}
	switch {
	case len(list) > maxHosts:
		return nil, fmt.Errorf("%d hosts: at most %d; write ranges such as \"192.0.2.0/24\"", len(list), maxHosts)
	case len(h.names) > maxNames:
		return nil, fmt.Errorf("%d names of hosts: at most %d, since a connection may wait for each to be looked up; write addresses or ranges", len(h.names), maxNames)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return h, nil
}

// add reads one host.
func (h *Hosts) add(text string) error {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = plain(addr)
		h.ranges = append(h.ranges, netip.PrefixFrom(addr, addr.BitLen()))
		return nil
	}
	if within, err := netip.ParsePrefix(text); err == nil {
		h.ranges = append(h.ranges, plainPrefix(within))
		return nil
	}
	if !isHostName(text) {
		return fmt.Errorf("host %q: want an address such as \"192.0.2.1\", a range such as \"192.0.2.0/24\", or a name such as \"monitor.example.com\"", text)
	}
	h.names = append(h.names, &hostName{name: text, lookup: net.DefaultResolver.LookupNetIP, turn: make(chan struct{}, 1)})
	return nil
}

// isHostName tells whether a text is written as the name of a host: letters,
// digits, "-" and "_" between dots, and not only digits at its end, as in a
// mistyped address.
func isHostName(text string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	labels := strings.Split(strings.TrimSuffix(text, "."), ".")
	bad := func(label string) bool {
		return label == "" || len(label) > 63 || label[0] == '-' || strings.Trim(label, letters+"0123456789-_") != ""
	}
	return len(text) < 255 && !slices.ContainsFunc(labels, bad) && strings.ContainsAny(labels[len(labels)-1], letters)
}

// plain is an address as it is compared: an IPv4 address is not written as one of
// IPv6, and the interface does not matter.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

func plainPrefix(p netip.Prefix) netip.Prefix {
	if mapped := 128 - 32; p.Addr().Is4In6() && p.Bits() >= mapped {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped).Masked()
	}
	return p.Masked()
}

// Allows tells whether a host may connect. It looks names up only if no address
// and no range says so, at most for two seconds, and holds the addresses for a
// minute. The addresses of a name that cannot be looked up any more are forgotten
// after ten; one that never could be allows nobody.
func (h *Hosts) Allows(ctx context.Context, addr netip.Addr) bool {
	if h == nil || !addr.IsValid() {
		return false
	}
	addr = plain(addr)
	if slices.ContainsFunc(h.ranges, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return true
	}
	found := make(chan bool, len(h.names))
	for _, name := range h.names {
		go func() { found <- slices.Contains(name.addresses(ctx), addr) }()
	}
	for range h.names {
		if <-found {
			return true
		}
	}
	return false
}

// A hostName is a name with the addresses that it was last known to have.
type hostName struct {
	name   string
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

	turn  chan struct{} // holds one while somebody looks it up, or at what follows
	known []netip.Addr
	since time.Time // of the last look-up that worked
	again time.Time // of the next one
}

// addresses are those of the name. What somebody else has asked for before this
// caller went away is of use to the next, so its end does not end the look-up.
func (n *hostName) addresses(ctx context.Context) []netip.Addr {
	select {
	case n.turn <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	defer func() { <-n.turn }()
	if now := time.Now(); now.Before(n.again) {
		return n.known
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTime)
	defer cancel()
	addrs, err := n.lookup(ctx, "ip", n.name)
	now := time.Now()
	switch {
	case err == nil:
		for i := range addrs {
			addrs[i] = plain(addrs[i])
		}
		n.known, n.since, n.again = addrs, now, now.Add(fresh)
	case now.Sub(n.since) > stale:
		n.known = nil
		fallthrough
	default:
		n.again = now.Add(retry)
	}
	return n.known
}
