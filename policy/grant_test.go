package policy_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/policy"
)

func grants(t testing.TB, list ...string) policy.Grants {
	t.Helper()
	g, err := policy.ParseGrants(list)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGrantText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"/host/**":                         "",
		"/files/a in b":                    "", // a name may hold blanks
		"/dev/tcp/*/443 in 10.0.0.0/8":     "",
		"/dev/tcp/*/443 in ::1":            "/dev/tcp/*/443 in ::1/128",
		"/dev/udp/** in 10.1.2.3,fd00::/8": "/dev/udp/** in 10.1.2.3/32, fd00::/8",
	} {
		g, err := policy.ParseGrants([]string{text})
		if want == "" {
			want = text
		}
		if err != nil || !slices.Equal(g.Strings(), []string{want}) {
			t.Errorf("%q: %q, %v", text, g.Strings(), err)
		}
	}
}

var badGrants = []struct{ text, want string }{
	{"/dev/tcp/*/443 in ", `"" is no address range`},
	{"/dev/tcp/*/443 in 10.0.0.0/33", "is no address range"},
	{"/dev/tcp/*/443 in ten", "is no address range"},
	{"/dev/tcp/*/443 in 10.0.0.1/8", "write 10.0.0.0/8"},
	{"/dev/tcp/*/443 in ::ffff:10.0.0.0/104", "in that of IPv4"},
	{"/dev/tcp/*/443 in fe80::1%eth0", "is no address range"},
	{"/dev/tcp/[ in 10.0.0.0/8", "not a valid glob"},
	{"/host/[", "not a valid glob"},
	{"/dev/tcp/*/1 in " + strings.Repeat("10.0.0.0/8,", policy.MaxRanges) + "10.0.0.0/8", "more than 64 address ranges"},
}

func TestBadGrants(t *testing.T) {
	t.Parallel()
	var all []string
	for _, row := range badGrants {
		all = append(all, row.text)
		if _, err := policy.ParseGrants([]string{row.text}); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%.60q: %v, want %q", row.text, err, row.want)
		}
	}
	_, err := policy.ParseGrants(all)
	for _, row := range badGrants {
		if !strings.Contains(err.Error(), row.want) {
			t.Errorf("all at once lack %q", row.want)
		}
	}
}

// addressRows are grants, the path of a connection, the address that its host
// leads to, and whether that is allowed.
var addressRows = []struct {
	grants     []string
	path, addr string
	own, want  bool
}{
	{[]string{"/dev/tcp/*/80"}, "/dev/tcp/web/80", "192.0.2.1", false, true},
	{[]string{"/dev/tcp/*/80"}, "/dev/tcp/web/80", "10.0.0.1", false, true},
	{[]string{"/dev/tcp/*/80"}, "/dev/tcp/web/81", "10.0.0.1", false, false},
	{[]string{"/dev/tcp/*/80"}, "/dev/tls/web/80", "10.0.0.1", false, false},
	{nil, "/dev/tcp/web/80", "10.0.0.1", false, false},

	// What a name resolves to names nothing.
	{[]string{"/dev/**"}, "/dev/tcp/web/80", "127.0.0.1", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "127.0.0.1", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "169.254.169.254", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "::ffff:127.0.0.1", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "::1", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "0.0.0.0", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "::", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "fe80::1", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "224.0.0.1", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "255.255.255.255", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "fd00:ec2::254", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "fd00:ec2::23", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "fd20:ce::254", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "fd00:42::42", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "fd20:ce::253", false, true},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "64:ff9b::7f00:1", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "64:ff9b::a9fe:a9fe", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "2002:7f00:1::", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "::127.0.0.1", false, false},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "64:ff9b::c000:201", false, true},
	{[]string{"/dev/tcp/web/80"}, "/dev/tcp/web/80", "168.63.129.16", false, false},

	// A wildcard that matches a special address does not name it.
	{[]string{"/dev/tcp/*/80"}, "/dev/tcp/127.0.0.1/80", "127.0.0.1", false, false},
	{[]string{"/dev/tcp/127.*/80"}, "/dev/tcp/127.0.0.1/80", "127.0.0.1", false, false},
	{[]string{"/dev/tcp/127.0.0.1/80"}, "/dev/tcp/127.0.0.1/80", "127.0.0.1", false, true},
	{[]string{"/dev/tcp/127.0.0.1/*"}, "/dev/tcp/127.0.0.1/80", "127.0.0.1", false, true},
	{[]string{"/dev/tcp/localhost/80"}, "/dev/tcp/localhost/80", "127.0.0.1", false, true},
	{[]string{"/dev/tcp/localhost/80"}, "/dev/tcp/localhost/80", "::1", false, true},
	{[]string{"/dev/tcp/localhost/80"}, "/dev/tcp/localhost/80", "169.254.169.254", false, false},
	{[]string{"/dev/tcp/*/80"}, "/dev/tcp/localhost/80", "127.0.0.1", false, false},
	{[]string{"/dev/tcp/::1/80"}, "/dev/tcp/::1/80", "::1", false, true},
	{[]string{"/dev/tcp/*/80", "/dev/tcp/127.0.0.1/81"}, "/dev/tcp/127.0.0.1/80", "127.0.0.1", false, false},
	{[]string{"/dev/tcp/169.254.169.254/80"}, "/dev/tcp/169.254.169.254/80", "169.254.169.254", false, true},

	{[]string{"/dev/**"}, "/dev/tcp/web/80", "fe80::1%eth0", false, false},
	{[]string{"/dev/**"}, "/dev/tcp/web/80", "2001:db8::1%eth0", false, false},

	// Ranges.
	{[]string{"/dev/tcp/*/80 in 10.0.0.0/8"}, "/dev/tcp/web/80", "10.1.1.1", false, true},
	{[]string{"/dev/tcp/*/80 in 10.0.0.0/8"}, "/dev/tcp/web/80", "::ffff:10.1.1.1", false, true},
	{[]string{"/dev/tcp/*/80 in 10.0.0.0/8"}, "/dev/tcp/web/80", "11.1.1.1", false, false},
	{[]string{"/dev/tcp/*/80 in 10.0.0.0/8", "/dev/tcp/web/80"}, "/dev/tcp/web/80", "11.1.1.1", false, true},
	{[]string{"/dev/tcp/*/80 in 127.0.0.0/8"}, "/dev/tcp/web/80", "127.0.0.1", false, true},
	{[]string{"/dev/tcp/*/80 in 127.0.0.2"}, "/dev/tcp/web/80", "127.0.0.1", false, false},
	{[]string{"/dev/tcp/*/80 in 0.0.0.0/0"}, "/dev/tcp/web/80", "127.0.0.1", false, false},
	{[]string{"/dev/tcp/*/80 in 0.0.0.0/0"}, "/dev/tcp/web/80", "1.2.3.4", false, true},
	{[]string{"/dev/tcp/127.0.0.1/80 in 10.0.0.0/8"}, "/dev/tcp/127.0.0.1/80", "127.0.0.1", false, false},

	// The agent's own listeners.
	{[]string{"/dev/tcp/*/80"}, "/dev/tcp/web/80", "10.0.0.1", true, false},
	{[]string{"/dev/tcp/10.0.0.1/80"}, "/dev/tcp/10.0.0.1/80", "10.0.0.1", true, true},
	{[]string{"/dev/tcp/*/80 in 10.0.0.0/8"}, "/dev/tcp/web/80", "10.0.0.1", true, false},
	{[]string{"/dev/tcp/*/80 in 10.0.0.1"}, "/dev/tcp/web/80", "10.0.0.1", true, true},
}

func TestAllowsAddress(t *testing.T) {
	t.Parallel()
	for _, row := range addressRows {
		a := policy.Access{Granted: grants(t, row.grants...)}
		err := a.AllowsAddress(row.path, netip.MustParseAddr(row.addr), row.own)
		if (err == nil) != row.want {
			t.Errorf("%q, %s, %s, own %v: %v, want %v", row.grants, row.path, row.addr, row.own, err, row.want)
		}
		if err != nil && !strings.Contains(err.Error(), netip.MustParseAddr(row.addr).Unmap().String()) {
			t.Errorf("%v does not name %s", err, row.addr)
		}
	}
}

// FuzzAllowsAddress compares AllowsAddress with what says the same in other words.
func FuzzAllowsAddress(f *testing.F) {
	for _, row := range addressRows {
		a := netip.MustParseAddr(row.addr).As16() // without a zone
		f.Add(strings.Join(row.grants, "\n"), row.path, a[:], row.own)
		f.Add(strings.Join(row.grants, "\n"), row.path, netip.MustParseAddr(row.addr).AsSlice(), !row.own)
	}
	for _, s := range spans {
		for _, addr := range []netip.Addr{s.first, s.last, s.first.Prev(), s.last.Next()} {
			f.Add("/dev/**", "/dev/tcp/web/80", addr.AsSlice(), false)
			f.Add("/dev/tcp/*/80 in 0.0.0.0/0, ::/0", "/dev/tcp/web/80", addr.AsSlice(), false)
			f.Add("/dev/tcp/*/80 in "+s.first.String(), "/dev/tcp/web/80", addr.AsSlice(), false)
			f.Add("/dev/tcp/"+s.first.String()+"/80", "/dev/tcp/"+s.first.String()+"/80", addr.AsSlice(), true)
		}
	}
	f.Fuzz(func(t *testing.T, text, path string, raw []byte, own bool) {
		addr, ok := netip.AddrFromSlice(raw)
		granted, err := policy.ParseGrants(strings.Split(text, "\n"))
		if !ok || err != nil {
			return
		}
		err = policy.Access{Granted: granted}.AllowsAddress(path, addr, own)
		if want := reaches(granted, path, addr.Unmap(), own); (err == nil) != want {
			t.Errorf("%q, %v for %q, own %v: %v, want %v", text, addr, path, own, err, want)
		}
	})
}
