package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// MaxRanges is the most address ranges of one grant.
const MaxRanges = 64

// A Grant is a path pattern that the operator allows. As text it is the pattern,
// or of connections PATTERN in RANGES, such as
// "/dev/tcp/*/443 in 10.0.0.0/8, 2001:db8::/32".
type Grant struct {
	// Pattern is the pattern of the paths.
	Pattern string
	// Ranges are where the address of a connection must be; without any it may
	// be every one that is not special. See Access.AllowsAddress.
	Ranges []netip.Prefix
}

// Grants is a list of valid grants. Make one with ParseGrants.
type Grants []Grant

// ParseGrants reads grants from their text. The error names every one that is
// wrong, with the reason and the remedy, as that of ParsePatterns does.
func ParseGrants(list []string) (Grants, error) {
	var grants Grants
	var errs []error
	for _, text := range list {
		g, err := parseGrant(text)
		errs = append(errs, err)
		grants = append(grants, g)
	}
	_, err := ParsePatterns(grants.Patterns())
	if err = errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	return grants, nil
}

// parseGrant reads the ranges of a grant; its pattern is not yet checked.
func parseGrant(text string) (Grant, error) {
	pattern, ranges, found := strings.Cut(text, " in ")
	if !found || !strings.HasPrefix(pattern, "/dev/") {
		return Grant{Pattern: text}, nil
	}
	g := Grant{Pattern: pattern}
	var errs []error
	for _, word := range strings.Split(ranges, ",") {
		prefix, err := parseRange(strings.TrimSpace(word))
		if err != nil {
			errs = append(errs, fmt.Errorf("grant %.200q: %w", text, err))
		}
		g.Ranges = append(g.Ranges, prefix)
	}
	if len(g.Ranges) > MaxRanges {
		errs = append(errs, fmt.Errorf("grant %.200q: more than %d address ranges; write several grants", text, MaxRanges))
	}
	return g, errors.Join(errs...)
}

// parseRange reads an address or a range of addresses.
func parseRange(text string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(text)
	if addr, single := netip.ParseAddr(text); single == nil && addr.Zone() == "" {
		prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	switch {
	case err != nil:
		return prefix, fmt.Errorf("%.60q is no address range; write one such as 10.0.0.0/8 or 2001:db8::/32", text)
	case prefix.Addr().Is4In6():
		return prefix, fmt.Errorf("%s holds IPv4 addresses in the form of IPv6; write them in that of IPv4", text)
	case prefix.Masked() != prefix:
		return prefix, fmt.Errorf("%s has bits beyond its length; write %s", text, prefix.Masked())
	}
	return prefix, nil
}

// String is the text of the grant.
func (g Grant) String() string {
	if len(g.Ranges) == 0 {
		return g.Pattern
	}
	var ranges []string
	for _, r := range g.Ranges {
		ranges = append(ranges, r.String())
	}
	return g.Pattern + " in " + strings.Join(ranges, ", ")
}

// Strings are the texts of the grants.
func (g Grants) Strings() []string {
	list := make([]string, len(g))
	for i, grant := range g {
		list[i] = grant.String()
	}
	return list
}

// Patterns are the patterns of the grants.
func (g Grants) Patterns() Patterns {
	list := make(Patterns, len(g))
	for i, grant := range g {
		list[i] = grant.Pattern
	}
	return list
}

// Match tells whether the pattern of one of the grants matches the path, as
// Patterns.Match does.
func (g Grants) Match(name string) bool {
	return matchable(name) && slices.ContainsFunc(g, func(grant Grant) bool { return matches(grant.Pattern, name) })
}

// Narrower lists the grants that certainly cover only a part of a pattern.
func (g Grants) Narrower(pattern string) Grants {
	var list Grants
	for _, grant := range g {
		if covers(pattern, grant.Pattern) && (len(grant.Ranges) > 0 || !covers(grant.Pattern, pattern)) {
			list = append(list, grant)
		}
	}
	return list
}

// contains tells whether an address is in one of the ranges.
func (g Grant) contains(addr netip.Addr) bool {
	return slices.ContainsFunc(g.Ranges, func(r netip.Prefix) bool { return r.Contains(addr) })
}
