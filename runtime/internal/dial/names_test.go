package dial_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"

	"github.com/wasmagent/wasmagent/runtime/internal/dial"
)

// elsewhere is an address that is not loopback, and that no connection of the
// tests' leads to.
const elsewhere = "255.255.255.255"

// TestRebinding has a name server that gives an allowed address first and a
// refused one ever after.
func TestRebinding(t *testing.T) {
	t.Parallel()
	names, server := resolver(t, zone{
		"good.test": {{"127.0.0.1"}, {elsewhere}},
		"evil.test": {{elsewhere}, {"127.0.0.1"}},
	}, nil)
	d := dial.Dialer{Resolver: names}
	port := serve(t, "127.0.0.1", echo).Port()

	var seen []string
	conn, err := d.Dial(t.Context(), target(t, dial.TCP, "good.test", port), ruled(&seen, anywhere))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	converse(t, conn)
	if !slices.Equal(seen, []string{"127.0.0.1"}) || server.questions("good.test") != 1 {
		t.Errorf("ruled on %v after %d questions", seen, server.questions("good.test"))
	}

	seen = nil
	_, err = d.Dial(t.Context(), target(t, dial.TCP, "evil.test", port), ruled(&seen, noLoopback))
	if err == nil || !slices.Equal(seen, []string{elsewhere}) || server.questions("evil.test") != 1 {
		t.Errorf("ruled on %v after %d questions: %v", seen, server.questions("evil.test"), err)
	}
	_, err = d.Dial(t.Context(), target(t, dial.TCP, "evil.test", port), noLoopback)
	checkError(t, err, dial.ErrNotAllowed, "127.0.0.1: is loopback")
}

// TestPeerRebinding: a second handshake goes where the first one went.
func TestPeerRebinding(t *testing.T) {
	t.Parallel()
	names, server := resolver(t, zone{"evil.test": {{"127.0.0.1"}, {elsewhere}}}, nil)
	ca := newAuthority(t)
	port := serveTLS(t, picky(ca.issue(t, leaf("evil.test")))).Port()
	r := peer(t, dial.Dialer{Resolver: names, Roots: ca.pool}, "evil.test", port)
	if !r.Verified || server.questions("evil.test") != 1 {
		t.Errorf("%+v after %d questions", r, server.questions("evil.test"))
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	port := serve(t, "127.0.0.1", echo).Port()
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprintf("127.0.1.%d", i)
	}
	z := zone{
		"mixed.test":   {{"127.0.0.1", "127.0.0.2", elsewhere, "2001:db8::1"}},
		"refused.test": {{"127.0.0.3", "::1"}},
		"mapped.test":  {{"::ffff:127.0.0.3"}},
		"empty.test":   {{}},
		"many.test":    {many},
	}
	for _, row := range []struct {
		host  string
		ruled int
		want  error
		words []string
	}{
		{"mixed.test", 4, nil, nil},
		{"refused.test", 2, dial.ErrNotAllowed, []string{"127.0.0.3: no", "::1: no"}},
		{"mapped.test", 1, dial.ErrNotAllowed, []string{"not allowed: 127.0.0.3: no"}},
		{"many.test", dial.MaxAddresses, dial.ErrNotAllowed, []string{"127.0.1."}},
		{"empty.test", 0, dial.ErrNoHost, nil},
		{"nobody.test", 0, dial.ErrNoHost, nil},
	} {
		t.Run(row.host, func(t *testing.T) {
			t.Parallel()
			names, _ := resolver(t, z, nil)
			var seen []string
			conn, err := dial.Dialer{Resolver: names}.Dial(t.Context(), target(t, dial.TCP, row.host, port), ruled(&seen, only127001))
			if len(seen) != row.ruled {
				t.Errorf("ruled on %v", seen)
			}
			if row.want != nil {
				checkError(t, err, row.want, append(row.words, row.host)...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().String() != "127.0.0.1" {
				t.Errorf("connected to %v", conn.RemoteAddr())
			}
		})
	}
}

func only127001(addr netip.AddrPort, _ bool) error {
	if addr.Addr().String() != "127.0.0.1" {
		return fmt.Errorf("no %s\nfor you", addr.Addr())
	}
	return nil
}

// TestNextAddress has a name whose first addresses do not answer.
func TestNextAddress(t *testing.T) {
	t.Parallel()
	names, _ := resolver(t, zone{"two.test": {{elsewhere, "::1", "127.0.0.1"}}}, nil)
	conn := connect(t, dial.Dialer{Resolver: names}, target(t, dial.TCP, "two.test", serve(t, "127.0.0.1", echo).Port()))
	converse(t, conn)
}

// TestNoAddressAnswers wants the error to tell of each, and to be of the kind that
// says most.
func TestNoAddressAnswers(t *testing.T) {
	t.Parallel()
	names, _ := resolver(t, zone{"none.test": {{elsewhere, "127.0.0.1"}}}, nil)
	_, err := dial.Dialer{Resolver: names}.Dial(t.Context(), target(t, dial.TCP, "none.test", closed(t, "127.0.0.1").Port()), anywhere)
	checkError(t, err, dial.ErrConnectionRefused, elsewhere+": ", "127.0.0.1: ")
}

// TestSilentNameServer ends the context when the name server has been asked.
func TestSilentNameServer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	names, _ := resolver(t, zone{"silent.test": {nil}}, func(string) { cancel() })
	for _, network := range []string{dial.TCP, dial.TLS, dial.UDP} {
		_, err := dial.Dialer{Resolver: names}.Dial(ctx, target(t, network, "silent.test", 1), anywhere)
		checkError(t, err, dial.ErrTimeout, "silent.test", context.Canceled.Error())
	}
}

// TestLookupFails has a machine that cannot ask its name servers.
func TestLookupFails(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ cause, want error }{
		{errors.New("no\nsocket"), dial.ErrLookup},
		{os.ErrDeadlineExceeded, dial.ErrTimeout},
	} {
		names := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, row.cause }}
		_, err := dial.Dialer{Resolver: names}.Dial(t.Context(), target(t, dial.TCP, "name.test", 1), anywhere)
		checkError(t, err, row.want, "tcp/name.test/1")
	}
}
