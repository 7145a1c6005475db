package migrate

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/wasmagent/wasmagent/internal/lazyregexp"
)

var hostName = lazyregexp.New(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

// host is one of NSClient++'s or NRPE's allowed hosts as an address, a range or a
// name; ok is false of anything else.
func host(written string) (_ string, ok bool) {
	if prefix, ok := starred(written); ok {
		return prefix, true
	}
	if address, mask, ranged := strings.Cut(written, "/"); ranged {
		return network(address, mask)
	}
	if _, err := netip.ParseAddr(written); err == nil {
		return written, true
	}
	letters := strings.ContainsAny(strings.ToLower(written), "abcdefghijklmnopqrstuvwxyz")
	return written, letters && len(written) < 254 && hostName().MatchString(written)
}

// starred reads a range such as 10.0.*.
func starred(written string) (string, bool) {
	parts := strings.Split(written, ".")
	bits := 0
	for bits < len(parts) && parts[bits] != "*" {
		bits++
	}
	if bits == len(parts) || len(parts) > 4 || bits == 0 && len(parts) > 1 {
		return "", false
	}
	for _, part := range parts[bits:] {
		if part != "*" {
			return "", false
		}
	}
	address := strings.Join(append(parts[:bits:bits], "0", "0", "0", "0")[:4], ".")
	return network(address, strconv.Itoa(8*bits))
}

// network reads ADDRESS/BITS and ADDRESS/MASK.
func network(address, mask string) (string, bool) {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return "", false
	}
	bits, err := strconv.Atoi(mask)
	if m, wrong := netip.ParseAddr(mask); err != nil && wrong == nil && m.Is4() {
		bits, err = maskBits(m), nil
	}
	p, wrong := a.Prefix(bits)
	if err != nil || wrong != nil {
		return "", false
	}
	return p.String(), true
}

// maskBits is the length of a mask such as 255.255.0.0; -1 if that is none.
func maskBits(mask netip.Addr) int {
	bits := 0
	ended := false
	for _, b := range mask.As4() {
		for i := 7; i >= 0; i-- {
			one := b>>i&1 == 1
			if one && ended {
				return -1
			}
			ended = ended || !one
			if one {
				bits++
			}
		}
	}
	return bits
}

// allowedHosts sets the hosts that may ask a listener.
func (m *mapping) allowedHosts(header string, e *entry) {
	var hosts []string
	for _, item := range e.items() {
		if h, ok := host(item); ok {
			hosts = append(hosts, h)
			continue
		}
		m.remark(e, "%q is no address, range or name of a host; write it in allowed_hosts of [%s] as 10.0.0.1, 10.0.0.0/8 or host.example.com", item, header)
	}
	if len(hosts) > 0 {
		m.config.set(header, "allowed_hosts", list(hosts))
	}
}
