package dial_test

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/runtime/internal/dial"
)

var (
	longLabel = strings.Repeat("a", 63)
	longName  = strings.Repeat(longLabel+".", 3) + longLabel[:61]
)

var targets = []struct {
	path string
	want dial.Target
}{
	{"tcp/example.com/80", dial.Target{Network: dial.TCP, Host: "example.com", Port: 80}},
	{"tls/example.com/443", dial.Target{Network: dial.TLS, Host: "example.com", Port: 443}},
	{"tls/example.com/443/peer", dial.Target{Network: dial.TLS, Host: "example.com", Port: 443, Peer: true}},
	{"udp/192.0.2.1/53", dial.Target{Network: dial.UDP, Host: "192.0.2.1", Port: 53}},
	{"tcp/2001:db8::1/65535", dial.Target{Network: dial.TCP, Host: "2001:db8::1", Port: 65535}},
	{"tcp/::1/1", dial.Target{Network: dial.TCP, Host: "::1", Port: 1}},
	{"tcp/64:ff9b::7f00:1/1", dial.Target{Network: dial.TCP, Host: "64:ff9b::7f00:1", Port: 1}},
	{"tcp/localhost/22", dial.Target{Network: dial.TCP, Host: "localhost", Port: 22}},
	{"tcp/peer/22", dial.Target{Network: dial.TCP, Host: "peer", Port: 22}},
	{"tcp/_ldap._tcp.corp/389", dial.Target{Network: dial.TCP, Host: "_ldap._tcp.corp", Port: 389}},
	{"tcp/xn--bcher-kva.example/80", dial.Target{Network: dial.TCP, Host: "xn--bcher-kva.example", Port: 80}},
	{"tcp/3com.com/80", dial.Target{Network: dial.TCP, Host: "3com.com", Port: 80}},
	{"tcp/1.2.3.4.example/80", dial.Target{Network: dial.TCP, Host: "1.2.3.4.example", Port: 80}},
	{"tcp/0b1/80", dial.Target{Network: dial.TCP, Host: "0b1", Port: 80}},
	{"tcp/1_0/80", dial.Target{Network: dial.TCP, Host: "1_0", Port: 80}},
	{"tcp/0x7f.0x1x/80", dial.Target{Network: dial.TCP, Host: "0x7f.0x1x", Port: 80}},
	{"tcp/" + longLabel + "/80", dial.Target{Network: dial.TCP, Host: longLabel, Port: 80}},
	{"tcp/" + longName + "/80", dial.Target{Network: dial.TCP, Host: longName, Port: 80}},
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, row := range targets {
		got, err := dial.Parse(row.path)
		if err != nil || got != row.want || got.String() != row.path {
			t.Errorf("%.100q: %+v, %v", row.path, got, err)
		}
	}
}

var badTargets = []struct{ path, want string }{
	{"", "names no connection"},
	{"tcp", "names no connection"},
	{"tcp/", "names no connection"},
	{"tcp/a", "names no connection"},
	{"/tcp/a/1", "names no connection"},
	{"tcp/a/1/", "names no connection"},
	{"tcp/a/1/peer", "names no connection"},
	{"udp/a/1/peer", "names no connection"},
	{"tls/a/1/peer/", "names no connection"},
	{"tls/a/1/Peer", "names no connection"},
	{"TCP/a/1", "names no connection"},
	{"tcp6/a/1", "names no connection"},
	{"unix/a/1", "names no connection"},
	{"tcp/fe80::1%25/eth0/1", "names no connection"},

	{"tcp//1", "is not of 1 to 253 bytes"},
	{"tcp/" + longName + "a/1", "is not of 1 to 253 bytes"},
	{"tcp/" + longLabel + "a/1", "is not of 1 to 63 bytes"},
	{"tcp/a..b/1", "is not of 1 to 63 bytes"},
	{"tcp/.a/1", "is not of 1 to 63 bytes"},
	{"tcp/example.com./1", "is not of 1 to 63 bytes"},
	{"tcp/127.0.0.1./1", "is not of 1 to 63 bytes"},
	{"tcp/./1", "is not of 1 to 63 bytes"},
	{"tcp/../1", "is not of 1 to 63 bytes"},
	{"tcp/Example.com/1", "something else than the lower-case letters"},
	{"tcp/LOCALHOST/1", "something else than the lower-case letters"},
	{"tcp/bücher.example/1", "something else than the lower-case letters"},
	{"tcp/①②⑦.⓪.⓪.①/1", "something else than the lower-case letters"},
	{"tcp/127。0。0。1/1", "something else than the lower-case letters"},
	{"tcp/localhost\x00/1", "something else than the lower-case letters"},
	{"tcp/127.0.0.1\x00.example.com/1", "something else than the lower-case letters"},
	{"tcp/a b/1", "something else than the lower-case letters"},
	{"tcp/a\\b/1", "something else than the lower-case letters"},
	{"tcp/*/1", "something else than the lower-case letters"},
	{"tcp/user@localhost/1", "something else than the lower-case letters"},
	{"tcp/localhost:22/1", "something else than the lower-case letters"},
	{"tcp/%6c/1", "something else than the lower-case letters"},
	{"tcp/\xff/1", "something else than the lower-case letters"},
	{"tcp/[::1]/1", "something else than the lower-case letters"},
	{"tcp/-a.example/1", "begins or ends with"},
	{"tcp/a-.example/1", "begins or ends with"},

	{"tcp/2130706433/1", "ends in the number"},
	{"tcp/0x7f000001/1", "ends in the number"},
	{"tcp/0x7f.0.0.1/1", "ends in the number"},
	{"tcp/127.0.0.0x1/1", "ends in the number"},
	{"tcp/127.0x/1", "ends in the number"},
	{"tcp/017700000001/1", "ends in the number"},
	{"tcp/0177.0.0.1/1", "ends in the number"},
	{"tcp/127.0.0.01/1", "ends in the number"},
	{"tcp/127.1/1", "ends in the number"},
	{"tcp/127.0.1/1", "ends in the number"},
	{"tcp/0/1", "ends in the number"},
	{"tcp/1.2.3.4.5/1", "ends in the number"},
	{"tcp/256.0.0.1/1", "ends in the number"},
	{"tcp/example.1/1", "ends in the number"},

	{"tcp/::ffff:127.0.0.1/1", "write 127.0.0.1"},
	{"tcp/::ffff:7f00:1/1", "write 127.0.0.1"},
	{"tcp/::127.0.0.1/1", "write ::7f00:1"},
	{"tcp/0:0:0:0:0:0:0:1/1", "write ::1"},
	{"tcp/::0001/1", "write ::1"},
	{"tcp/2001:DB8::1/1", "write 2001:db8::1"},
	{"tcp/fe80::1%eth0/1", "has a zone"},
	{"tcp/::ffff:127.0.0.1%1/1", "has a zone"},

	{"tcp/a/", "no number from 1 to 65535"},
	{"tcp/a/0", "no number from 1 to 65535"},
	{"tcp/a/080", "no number from 1 to 65535"},
	{"tcp/a/+80", "no number from 1 to 65535"},
	{"tcp/a/-80", "no number from 1 to 65535"},
	{"tcp/a/65536", "no number from 1 to 65535"},
	{"tcp/a/65616", "no number from 1 to 65535"},
	{"tcp/a/18446744073709551696", "no number from 1 to 65535"},
	{"tcp/a/8_0", "no number from 1 to 65535"},
	{"tcp/a/0x50", "no number from 1 to 65535"},
	{"tcp/a/http", "no number from 1 to 65535"},
	{"tcp/a/８０", "no number from 1 to 65535"},
	{"tcp/a/80 ", "no number from 1 to 65535"},
	{"tcp/a/80\x00", "no number from 1 to 65535"},
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range badTargets {
		got, err := dial.Parse(row.path)
		if err == nil || !strings.Contains(err.Error(), row.want) || len(err.Error()) > 500 {
			t.Errorf("%.100q: %+v, %v; want %q", row.path, got, err, row.want)
		}
	}
}

// FuzzParse wants one spelling for each target, and no address in disguise.
func FuzzParse(f *testing.F) {
	for _, row := range targets {
		f.Add(row.path)
	}
	for _, row := range badTargets {
		f.Add(row.path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		target, err := dial.Parse(path)
		if err != nil {
			return
		}
		if target.String() != path {
			t.Errorf("%q is written %q", path, target)
		}
		if target.Port == 0 || target.Host == "" || len(target.Host) > 253 {
			t.Errorf("%q: %+v", path, target)
		}
		addr, err := netip.ParseAddr(target.Host)
		if err == nil && (addr.Is4In6() || addr.Zone() != "" || addr.String() != target.Host) {
			t.Errorf("%q: the address %v", path, addr)
		}
		if err != nil && isNumeric(target.Host) {
			t.Errorf("%q: %q is an address for inet_aton", path, target.Host)
		}
	})
}

// aton is a number as inet_aton reads it: decimal, octal or hex.
var aton = regexp.MustCompile(`^(0[xX][0-9a-fA-F]*|[0-9]+)$`)

// isNumeric tells whether inet_aton might read a name as an address: one to four
// numbers with dots between them.
func isNumeric(host string) bool {
	parts := strings.Split(host, ".")
	return len(parts) <= 4 && !slices.ContainsFunc(parts, func(part string) bool { return !aton.MatchString(part) })
}
