package dial_test

import (
	"context"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasmagent/wasmagent/runtime/internal/dial"
)

// blackhole is a port of an address that does not answer: its queue of connections
// that nobody accepts is full, and Linux drops what comes then.
func blackhole(t *testing.T, addr [4]byte, port int) (chosen uint16) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: addr, Port: port}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	here := name.(*unix.SockaddrInet4)
	conn, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: here.Addr[:], Port: here.Port})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return uint16(here.Port)
}

// TestBlockedConnect ends the context of a connect that nothing answers.
func TestBlockedConnect(t *testing.T) {
	t.Parallel()
	port := blackhole(t, [4]byte{127, 0, 0, 1}, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for _, network := range []string{dial.TCP, dial.TLS} {
		_, err := dial.Dialer{}.Dial(ctx, target(t, network, "127.0.0.1", port), anywhere)
		checkError(t, err, dial.ErrTimeout)
	}
}

// TestHeadStart has a name whose first address does not answer.
func TestHeadStart(t *testing.T) {
	t.Parallel()
	server := serve(t, "127.0.0.1", echo)
	blackhole(t, [4]byte{127, 0, 0, 2}, int(server.Port()))
	names, _ := resolver(t, zone{"slow.test": {{"127.0.0.2", "127.0.0.1"}}}, nil)
	conn := connect(t, dial.Dialer{Resolver: names}, target(t, dial.TCP, "slow.test", server.Port()))
	converse(t, conn)
}
