package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
)

// MaxAddresses is the most addresses of one name that are looked at.
const MaxAddresses = 16

// resolve lists the addresses of the target's host, the preferred first.
func (d Dialer) resolve(ctx context.Context, t Target) ([]netip.AddrPort, error) {
	addrs, err := d.lookup(ctx, t.Host)
	if err != nil {
		return nil, err
	}
	list := make([]netip.AddrPort, 0, len(addrs))
	for _, addr := range addrs[:min(len(addrs), MaxAddresses)] {
		list = append(list, netip.AddrPortFrom(addr.Unmap(), t.Port))
	}
	return list, nil
}

func (d Dialer) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	if host == "localhost" {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, nil
	}
	resolver := d.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	return resolver.LookupNetIP(ctx, "ip", host)
}

// errZone is about addresses that only the machine's own hosts file can give.
var errZone = errors.New("an address with a zone cannot be granted")

// rule asks about every address.
func (d Dialer) rule(t Target, addrs []netip.AddrPort, rule Rule) (allowed []netip.AddrPort, refused []failure) {
	own := d.listeners(t.Network)
	for _, addr := range addrs {
		err := errZone
		if addr.Addr().Zone() == "" {
			err = rule(addr, slices.ContainsFunc(own, func(l netip.AddrPort) bool { return answers(l, addr) }))
		}
		if err != nil {
			refused = append(refused, failure{addr, err})
		} else {
			allowed = append(allowed, addr)
		}
	}
	return allowed, refused
}

// listeners are the agent's own on a network.
func (d Dialer) listeners(network string) (list []netip.AddrPort) {
	if d.Own == nil {
		return nil
	}
	for _, addr := range d.Own() {
		switch a := addr.(type) {
		case *net.TCPAddr:
			if network != UDP {
				list = append(list, a.AddrPort())
			}
		case *net.UDPAddr:
			if network == UDP {
				list = append(list, a.AddrPort())
			}
		}
	}
	return list
}

// answers tells whether a listener is what answers at an address. Connecting to the
// unspecified address leads to the machine itself; which of its addresses depends
// on the system.
func answers(listener, addr netip.AddrPort) bool {
	if listener.Port() != addr.Port() {
		return false
	}
	here, there := listener.Addr().Unmap().WithZone(""), addr.Addr()
	everywhere := here.IsUnspecified() || !here.IsValid()
	return here == there || there.IsUnspecified() || everywhere && ofThisMachine(there)
}

// ofThisMachine tells whether an address is one of this machine's, or that it
// might be, where the system does not say which those are.
func ofThisMachine(addr netip.Addr) bool {
	interfaces, err := net.InterfaceAddrs()
	return err != nil || addr.IsLoopback() || slices.ContainsFunc(interfaces, func(a net.Addr) bool {
		network, ok := a.(*net.IPNet)
		return ok && network.IP.Equal(addr.AsSlice())
	})
}
