package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A block is a range of addresses that no grant reaches by accident.
type block struct {
	prefix netip.Prefix
	is     string
}

// special are the addresses that a grant has to name: those of the machine
// itself and its link, those that are no address of one machine, and those at
// which clouds hand out credentials.
// https://www.iana.org/assignments/iana-ipv4-special-registry
// https://www.iana.org/assignments/iana-ipv6-special-registry
var special = []block{
	{netip.MustParsePrefix("127.0.0.0/8"), "this machine itself (loopback)"},
	{netip.MustParsePrefix("::1/128"), "this machine itself (loopback)"},
	{netip.MustParsePrefix("0.0.0.0/8"), "this machine itself (unspecified)"},
	{netip.MustParsePrefix("::/128"), "this machine itself (unspecified)"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local, as the metadata of clouds is"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "broadcast or reserved"},
	{netip.MustParsePrefix("fd00:ec2::/64"), "the metadata of a cloud"},    // EC2's 254, EKS's 23
	{netip.MustParsePrefix("fd20:ce::254/128"), "the metadata of a cloud"}, // Google's
	{netip.MustParsePrefix("fd00:42::42/128"), "the metadata of a cloud"},  // Scaleway's
	{netip.MustParsePrefix("100.100.100.200/32"), "the metadata of a cloud"},
	{netip.MustParsePrefix("168.63.129.16/32"), "the metadata of a cloud"},
	{netip.MustParsePrefix("192.0.0.192/32"), "the metadata of a cloud"},
}

// embedding are the prefixes of IPv6 addresses that stand for an IPv4 address,
// with the byte at which that begins.
var embedding = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},    // NAT64, RFC 6052
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12},  // NAT64 of a network's own, RFC 8215
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // SIIT, RFC 2765
	{netip.MustParsePrefix("2002::/16"), 2},        // 6to4, RFC 3056
	{netip.MustParsePrefix("::/96"), 12},           // IPv4-compatible, RFC 4291
}

// specialOf is the block that an address is in; nil of an ordinary one.
func specialOf(addr netip.Addr) *block {
	for i, b := range special {
		if b.prefix.Contains(addr) {
			return &special[i]
		}
	}
	for _, e := range embedding {
		if e.prefix.Contains(addr) {
			bytes := addr.As16()
			return specialOf(netip.AddrFrom4([4]byte(bytes[e.at : e.at+4])))
		}
	}
	return nil
}

// AllowsAddress rules on an address that the host of a path, /dev/NETWORK/HOST/PORT,
// leads to; the path must be allowed too. A nil error allows it, another one says
// why not.
//
// It is allowed by a grant that matches the path and either has no ranges or one
// that holds the address. Special addresses are loopback, link-local, unspecified,
// multicast, reserved and broadcast ones, the metadata services of clouds, IPv6
// addresses that stand for one of these, and, if own is set, whatever the caller
// knows to be the agent's own. A grant must name them: its HOST is that very
// address ("localhost" names loopback), or a range of its own lies within what is
// special. What a name resolves to never names anything.
func (a Access) AllowsAddress(name string, addr netip.Addr, own bool) error {
	addr = addr.Unmap()
	if addr.Zone() != "" {
		return fmt.Errorf("address %v has a zone, which no grant can name", addr)
	}
	b := specialOf(addr)
	if own && b == nil {
		b = &block{netip.PrefixFrom(addr, addr.BitLen()), "where the agent itself listens"}
	}
	inside := false
	for _, g := range a.Granted {
		switch {
		case !Grants{g}.Match(name) || len(g.Ranges) > 0 && !g.contains(addr):
		case b == nil || g.names(name, addr, b):
			return nil
		default:
			inside = true
		}
	}
	if inside {
		return fmt.Errorf("address %v is %s, which no grant reaches unless it names that address", addr, b.is)
	}
	return fmt.Errorf("address %v is in no range of the grants", addr)
}

// names tells whether the grant means a special address of that block.
func (g Grant) names(name string, addr netip.Addr, b *block) bool {
	host := hostOf(name)
	literal, _ := netip.ParseAddr(host)
	if (literal == addr || host == "localhost" && addr.IsLoopback()) && slices.Contains(strings.Split(g.Pattern, "/"), host) {
		return true
	}
	return slices.ContainsFunc(g.Ranges, func(r netip.Prefix) bool {
		return r.Contains(addr) && r.Bits() >= b.prefix.Bits() && b.prefix.Contains(r.Addr())
	})
}

// hostOf is HOST of /dev/NETWORK/HOST/PORT.
func hostOf(name string) string {
	segments := strings.Split(name, "/")
	if len(segments) < 4 {
		return ""
	}
	return segments[3]
}
