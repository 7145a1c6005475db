package dial_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/runtime/internal/dial"
)

// connect dials, and closes at the end of the test.
func connect(t *testing.T, d dial.Dialer, target dial.Target) net.Conn {
	t.Helper()
	conn, err := d.Dial(t.Context(), target, anywhere)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// converse sends a word, closes the half and wants the echo's answer.
func converse(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := io.WriteString(conn, "hello "); err != nil {
		t.Fatal(err)
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); string(got) != "hello bye" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// loopbacks are the loopback addresses of this machine.
func loopbacks(t *testing.T) []string {
	t.Helper()
	if l, err := net.Listen("tcp", "[::1]:0"); err == nil {
		l.Close()
		return []string{"127.0.0.1", "::1"}
	}
	return []string{"127.0.0.1"}
}

func TestTCP(t *testing.T) {
	t.Parallel()
	for _, addr := range loopbacks(t) {
		server := serve(t, addr, echo)
		for _, host := range []string{addr, "localhost"} {
			conn := connect(t, dial.Dialer{}, target(t, dial.TCP, host, server.Port()))
			if _, ok := conn.(*net.TCPConn); !ok || conn.RemoteAddr().String() != server.String() {
				t.Errorf("%T to %v", conn, conn.RemoteAddr())
			}
			converse(t, conn)
		}
	}
}

func TestUDP(t *testing.T) {
	t.Parallel()
	for _, addr := range loopbacks(t) {
		server, err := net.ListenPacket("udp", net.JoinHostPort(addr, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		port := server.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		conn := connect(t, dial.Dialer{}, target(t, dial.UDP, addr, port))
		datagrams(t, conn.(*net.UDPConn), server)
	}
}

// datagrams sends two, the first of which is empty, and wants one back.
func datagrams(t *testing.T, conn *net.UDPConn, server net.PacketConn) {
	t.Helper()
	buf := make([]byte, 16)
	for _, text := range []string{"", "ping"} {
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		n, from, err := server.ReadFrom(buf)
		if err != nil || string(buf[:n]) != text || from.String() != conn.LocalAddr().String() {
			t.Errorf("got %q from %v, %v", buf[:n], from, err)
		}
	}
	server.WriteTo([]byte("pong"), conn.LocalAddr())
	if n, err := conn.Read(buf); err != nil || string(buf[:n]) != "pong" {
		t.Errorf("got %q, %v", buf[:n], err)
	}
}

// TestLocalhost wants no name server to be asked, and both addresses to be ruled on.
func TestLocalhost(t *testing.T) {
	t.Parallel()
	names, _ := resolver(t, zone{}, func(name string) { t.Errorf("asked for %q", name) })
	_, err := dial.Dialer{Resolver: names}.Dial(t.Context(), target(t, dial.TCP, "localhost", 1), noLoopback)
	checkError(t, err, dial.ErrNotAllowed, "tcp/localhost/1", "127.0.0.1: is loopback", "::1: is loopback")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "::1", "localhost"} {
		port := closed(t, "127.0.0.1").Port()
		for _, network := range []string{dial.TCP, dial.TLS, dial.UDP} {
			_, err := dial.Dialer{}.Dial(t.Context(), target(t, network, host, port), noLoopback)
			checkError(t, err, dial.ErrNotAllowed, network+"/"+host, errLoopback.Error())
		}
		_, err := dial.Dialer{}.Peer(t.Context(), target(t, dial.TLS, host, port, "peer"), noLoopback)
		checkError(t, err, dial.ErrNotAllowed, "/peer", errLoopback.Error())
	}
}

// TestOnlyWhatItIsFor gives each call the other's targets.
func TestOnlyWhatItIsFor(t *testing.T) {
	t.Parallel()
	if conn, err := (dial.Dialer{}).Dial(t.Context(), target(t, dial.TLS, "localhost", 1, "peer"), anywhere); err == nil {
		conn.Close()
		t.Error("Dial connects to a peer document")
	}
	if _, err := (dial.Dialer{}).Peer(t.Context(), target(t, dial.TCP, "localhost", 1), anywhere); err == nil {
		t.Error("Peer asks a server without TLS")
	}
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	port := closed(t, "127.0.0.1").Port()
	for _, network := range []string{dial.TCP, dial.TLS} {
		_, err := dial.Dialer{}.Dial(t.Context(), target(t, network, "localhost", port), func(addr netip.AddrPort, _ bool) error {
			if addr.Addr().Is6() {
				return errLoopback
			}
			return nil
		})
		checkError(t, err, dial.ErrConnectionRefused, "/localhost/", "127.0.0.1: ", "not allowed: ::1: is loopback")
	}
}

// TestUnreachable connects a stream to an address that is none for streams.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	_, err := dial.Dialer{}.Dial(t.Context(), target(t, dial.TCP, "255.255.255.255", 1), anywhere)
	if !errors.Is(err, dial.ErrUnreachable) && !errors.Is(err, dial.ErrFailed) { // systems differ
		t.Errorf("got %v", err)
	}
}

func TestEndedContext(t *testing.T) {
	t.Parallel()
	errOver := errors.New("the run is over")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errOver)
	server := serve(t, "127.0.0.1", echo)
	for _, host := range []string{"127.0.0.1", "localhost", "name.test"} {
		_, err := dial.Dialer{}.Dial(ctx, target(t, dial.TCP, host, server.Port()), anywhere)
		checkError(t, err, dial.ErrTimeout, host, errOver.Error())
		checkError(t, err, errOver)
	}
}

// TestOwnListeners wants the rule to hear that an address leads to the agent.
func TestOwnListeners(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		listener, target string
		want             bool
	}{
		{"127.0.0.1:7", "tcp/127.0.0.1/7", true},
		{"127.0.0.1:7", "tls/127.0.0.1/7", true},
		{"127.0.0.1:7", "udp/127.0.0.1/7", false},
		{"127.0.0.1:7", "tcp/127.0.0.1/8", false},
		{"127.0.0.1:7", "tcp/::1/7", false},
		{"127.0.0.1:7", "tcp/0.0.0.0/7", true},
		{"127.0.0.1:7", "tcp/::/7", true},
		{"127.0.0.1:7", "tcp/192.0.2.1/7", false},
		{"192.0.2.1:7", "tcp/192.0.2.1/7", true},
		{"[::ffff:192.0.2.1]:7", "tcp/192.0.2.1/7", true},
		{"[fe80::1%1]:7", "tcp/fe80::1/7", true},
		{"0.0.0.0:7", "tcp/127.0.0.1/7", true},
		{"[::]:7", "tcp/127.0.0.1/7", true},
		{"[::]:7", "tcp/127.1.2.3/7", true},
		{"[::]:7", "tcp/::1/7", true},
		{"[::]:7", "tcp/0.0.0.0/7", true},
		{"[::]:7", "tcp/192.0.2.1/7", false},
		{"[::]:7", "tcp/2001:db8::1/7", false},
		{"[::]:7", "tcp/127.0.0.1/8", false},
		{":7", "tcp/127.0.0.1/7", true},
		{":7", "tcp/192.0.2.1/7", false},
		{"udp [::]:7", "udp/127.0.0.1/7", true},
		{"udp [::]:7", "tcp/127.0.0.1/7", false},
		{"unix", "tcp/127.0.0.1/7", false},
	} {
		d := dial.Dialer{Own: func() []net.Addr { return []net.Addr{listener(t, row.listener)} }}
		if got := isOwn(t, d, row.target); got != row.want {
			t.Errorf("listening on %s: %s is own: %v", row.listener, row.target, got)
		}
	}
}

// TestOwnAddresses wants a listener on every address to be found on each of them.
func TestOwnAddresses(t *testing.T) {
	t.Parallel()
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	d := dial.Dialer{Own: func() []net.Addr { return []net.Addr{listener(t, "[::]:7")} }}
	for _, addr := range interfaces {
		prefix := netip.MustParsePrefix(addr.String())
		if path := fmt.Sprintf("tcp/%v/7", prefix.Addr().Unmap()); !isOwn(t, d, path) {
			t.Errorf("%s is not own", path)
		}
	}
}

// listener is the address of one, as its Addr gives it.
func listener(t *testing.T, text string) net.Addr {
	t.Helper()
	if text == "unix" {
		return &net.UnixAddr{Name: "/run/agent.sock", Net: "unix"}
	}
	addr, udp := strings.CutPrefix(text, "udp ")
	if udp {
		return must(t)(net.ResolveUDPAddr("udp", addr))
	}
	if port, everywhere := strings.CutPrefix(text, ":"); everywhere {
		return must(t)(net.ResolveTCPAddr("tcp", ":"+port))
	}
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))
}

func must(t *testing.T) func(net.Addr, error) net.Addr {
	return func(addr net.Addr, err error) net.Addr {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return addr
	}
}

// isOwn tells what the rule is told of a target, which it refuses.
func isOwn(t *testing.T, d dial.Dialer, path string) (own bool) {
	t.Helper()
	parsed, err := dial.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Dial(t.Context(), parsed, func(_ netip.AddrPort, is bool) error {
		own = is
		return errLoopback
	})
	checkError(t, err, dial.ErrNotAllowed)
	return own
}

// ruled collects the addresses that a rule was asked about.
func ruled(list *[]string, rule dial.Rule) dial.Rule {
	return func(addr netip.AddrPort, own bool) error {
		*list = append(*list, addr.Addr().String())
		slices.Sort(*list)
		return rule(addr, own)
	}
}
