package access_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/access"
)

// hostRows are hosts with addresses that they allow and that they do not.
var hostRows = []struct {
	hosts   string
	yes, no string
}{
	{"192.0.2.1", "192.0.2.1 ::ffff:192.0.2.1", "192.0.2.2 ::192.0.2.1 ::1"},
	{"::ffff:192.0.2.1", "192.0.2.1 ::ffff:192.0.2.1", "192.0.2.2"},
	{"192.0.2.0/24", "192.0.2.0 192.0.2.255 ::ffff:192.0.2.9", "192.0.3.0 2001:db8::c000:209"},
	{"192.0.2.77/24", "192.0.2.1", "192.0.3.1"},
	{"::ffff:192.0.2.0/120", "192.0.2.9", "192.0.3.9"},
	{"0.0.0.0/0", "192.0.2.1 ::ffff:192.0.2.1", "::1 2001:db8::1"},
	{"::/0", "::1 2001:db8::1", "192.0.2.1 ::ffff:192.0.2.1"},
	{"2001:db8::/32", "2001:db8::1 2001:db8:ffff::", "2001:db9::1"},
	{"fe80::1", "fe80::1 fe80::1%eth0", "fe80::2%eth0"},
	{"10.0.0.1 10.0.0.2/31", "10.0.0.1 10.0.0.2 10.0.0.3", "10.0.0.4"},
	{"", "", "127.0.0.1 ::1 0.0.0.0"},
}

func hosts(t testing.TB, list ...string) *access.Hosts {
	t.Helper()
	h, err := access.ParseHosts(list)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHosts(t *testing.T) {
	t.Parallel()
	for _, row := range hostRows {
		h := hosts(t, strings.Fields(row.hosts)...)
		for text := range strings.FieldsSeq(row.yes) {
			if !h.Allows(t.Context(), netip.MustParseAddr(text)) {
				t.Errorf("%q does not allow %s", row.hosts, text)
			}
		}
		for text := range strings.FieldsSeq(row.no) {
			if h.Allows(t.Context(), netip.MustParseAddr(text)) {
				t.Errorf("%q allows %s", row.hosts, text)
			}
		}
	}
	for _, h := range []*access.Hosts{nil, {}, hosts(t, "0.0.0.0/0", "::/0")} {
		if h.Allows(t.Context(), netip.Addr{}) {
			t.Error("no address is allowed")
		}
	}
}

// badHosts are no hosts.
var badHosts = []string{"", "192.0.2.256", "192.0.2.1/33", "192.0.2", "10.0.0.0/8/8", "*", "*.example.com", "a b", "a..b", "-a.example", "host:5666", "[::1]", "http://host", "ex\x00ample", strings.Repeat("a", 64), strings.Repeat("a.", 130)}

func TestParseHostsRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range badHosts {
		_, err := access.ParseHosts([]string{text})
		wantError(t, err, "want an address such as")
	}
	_, err := access.ParseHosts([]string{"10.0.0.1", "*", "a b"})
	wantError(t, err, "host \"*\": want an address such as \"192.0.2.1\", a range such as \"192.0.2.0/24\", or a name such as \"monitor.example.com\"\nhost \"a b\"")
	_, err = access.ParseHosts(strings.Fields(strings.Repeat("a.example ", 33)))
	wantError(t, err, "33 names of hosts: at most 32")
	_, err = access.ParseHosts(strings.Fields(strings.Repeat("10.0.0.1 ", 1025)))
	wantError(t, err, "1025 hosts: at most 1024")
}

func FuzzHosts(f *testing.F) {
	for _, row := range hostRows {
		for text := range strings.FieldsSeq(row.hosts) {
			f.Add(text)
		}
	}
	for _, text := range badHosts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := access.ParseHosts([]string{text})
		if err != nil {
			return
		}
		h.Resolve(func(context.Context, string, string) ([]netip.Addr, error) { return nil, errors.New("no") })
		addr, err := netip.ParseAddr(text)
		if got := h.Allows(t.Context(), addr); got != (err == nil) {
			t.Errorf("%q allows itself: %v", text, got)
		}
	})
}

// A dns answers look-ups, as the test says.
type dns struct {
	mu    sync.Mutex
	addrs []netip.Addr
	err   error
	asked atomic.Int64
}

func (d *dns) lookup(ctx context.Context, network, _ string) ([]netip.Addr, error) {
	d.asked.Add(1)
	d.mu.Lock()
	addrs, err := append([]netip.Addr{}, d.addrs...), d.err
	d.mu.Unlock()
	if network != "ip" {
		return nil, errors.New("want addresses of both families")
	}
	if err == context.DeadlineExceeded {
		<-ctx.Done()
		err = ctx.Err()
	}
	return addrs, err
}

func (d *dns) says(err error, addrs ...netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addrs, d.err = addrs, err
}

func TestNamesOfHosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d dns
		h := hosts(t, "10.0.0.0/8", "monitor.example.com")
		h.Resolve(d.lookup)
		other := netip.MustParseAddr("192.0.2.2")
		asks := func(what string, addr netip.Addr, want bool, asked int64) {
			t.Helper()
			if got := h.Allows(t.Context(), addr); got != want || d.asked.Load() != asked {
				t.Errorf("%s: %v after %d look-ups, want %v after %d", what, got, d.asked.Load(), want, asked)
			}
		}
		asks("an address that is listed", netip.MustParseAddr("10.1.2.3"), true, 0)
		d.says(errors.New("no such host"))
		asks("no answer", peer, false, 1)
		asks("again at once", peer, false, 1)
		time.Sleep(11 * time.Second)
		d.says(nil, netip.MustParseAddr("::ffff:192.0.2.1"))
		asks("an answer", peer, true, 2)
		asks("another address", other, false, 2)
		d.says(nil, other)
		asks("before a minute is over", other, false, 2)
		time.Sleep(time.Minute)
		asks("after it", other, true, 3)
		asks("the old one", peer, false, 3)
		d.says(errors.New("server failure"))
		time.Sleep(time.Minute)
		asks("held while there is no answer", other, true, 4)
		time.Sleep(10 * time.Minute)
		asks("and forgotten", other, false, 5)
	})
}

func TestLookupsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d dns
		d.says(context.DeadlineExceeded)
		h := hosts(t, "a.example", "b.example", "c.example")
		h.Resolve(d.lookup)
		gone, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		var done sync.WaitGroup
		for range 50 {
			done.Go(func() {
				if h.Allows(gone, peer) {
					t.Error("a host is allowed that nobody knows")
				}
			})
		}
		done.Wait()
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		if n := d.asked.Load(); n != 3 {
			t.Errorf("%d look-ups, want one for each name", n)
		}
	})
}
