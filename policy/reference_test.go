package policy_test

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wasmagent/wasmagent/policy"
)

// What follows says again, in other words, when an address is allowed.

// A span is the addresses from one to another.
type span struct{ first, last netip.Addr }

func (s span) holds(addr netip.Addr) bool {
	return addr.BitLen() == s.first.BitLen() && s.first.Compare(addr) <= 0 && addr.Compare(s.last) <= 0
}

// spans are the special addresses.
var spans = func() (list []span) {
	for _, text := range []string{
		"0.0.0.0 0.255.255.255", "127.0.0.0 127.255.255.255", "169.254.0.0 169.254.255.255", "224.0.0.0 239.255.255.255", "240.0.0.0 255.255.255.255",
		"100.100.100.200 100.100.100.200", "168.63.129.16 168.63.129.16", "192.0.0.192 192.0.0.192",
		":: ::", "::1 ::1", "fe80:: febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ff00:: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fd00:ec2:: fd00:ec2::ffff:ffff:ffff:ffff", "fd20:ce::254 fd20:ce::254", "fd00:42::42 fd00:42::42",
	} {
		first, last, _ := strings.Cut(text, " ")
		list = append(list, span{netip.MustParseAddr(first), netip.MustParseAddr(last)})
	}
	return list
}()

// standsFor is the IPv4 address that one of IPv6 stands for, by its 32 digits.
func standsFor(addr netip.Addr) (netip.Addr, bool) {
	digits := hex.EncodeToString(addr.AsSlice())
	at := 24
	switch {
	case len(digits) != 32:
		return addr, false
	case strings.HasPrefix(digits, "2002"):
		at = 4
	case strings.HasPrefix(digits, "0064ff9b0001"), strings.HasPrefix(digits, "0064ff9b0000000000000000"),
		strings.HasPrefix(digits, strings.Repeat("0", 16)+"ffff0000"), strings.HasPrefix(digits, strings.Repeat("0", 24)):
	default:
		return addr, false
	}
	four, err := hex.DecodeString(digits[at : at+8])
	return netip.AddrFrom4([4]byte(four)), err == nil
}

// specialSpan is the special addresses that one is among, or stands for.
func specialSpan(addr netip.Addr) (span, bool) {
	for _, s := range spans {
		if s.holds(addr) {
			return s, true
		}
	}
	if four, ok := standsFor(addr); ok {
		return specialSpan(four)
	}
	return span{}, false
}

// reaches tells whether grants let a path lead to an address.
func reaches(granted policy.Grants, name string, addr netip.Addr, own bool) bool {
	special, restricted := specialSpan(addr)
	if own && !restricted {
		special, restricted = span{addr, addr}, true
	}
	return slices.ContainsFunc(granted, func(g policy.Grant) bool {
		within := func(r netip.Prefix) bool { return spanOf(r).holds(addr) }
		if !fits(g.Pattern, name) || len(g.Ranges) > 0 && !slices.ContainsFunc(g.Ranges, within) {
			return false
		}
		return !restricted || literally(g.Pattern, name, addr) || slices.ContainsFunc(g.Ranges, func(r netip.Prefix) bool {
			s := spanOf(r)
			return within(r) && special.holds(s.first) && special.holds(s.last)
		})
	})
}

// spanOf is the addresses of a range.
func spanOf(r netip.Prefix) span {
	last := r.Addr().AsSlice()
	for bit := r.Bits(); bit < 8*len(last); bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
	}
	end, _ := netip.AddrFromSlice(last)
	return span{r.Addr(), end}
}

// fits tells whether a pattern matches a path.
func fits(pattern, name string) bool {
	if strings.ContainsAny(pattern, "[{") || strings.Contains(name, "\n") || !utf8.ValidString(name) {
		return policy.Patterns{pattern}.Match(name)
	}
	return len(name) <= policy.MaxPath && cleanPath.MatchString(name) && expression(pattern).MatchString(name)
}

// literally tells whether the host of a path is written in the pattern, and is the
// address, or localhost.
func literally(pattern, name string, addr netip.Addr) bool {
	segments := strings.Split(name, "/")
	if len(segments) < 4 || !strings.Contains(pattern+"/", "/"+segments[3]+"/") {
		return false
	}
	literal, err := netip.ParseAddr(segments[3])
	return err == nil && literal == addr || segments[3] == "localhost" && addr.IsLoopback()
}
