package dial_test

import (
	"io"
	"net"
	"testing"

	"github.com/wasmagent/wasmagent/runtime/internal/dial"
)

// BenchmarkRoundTrip connects, sends a byte and gets it back.
func BenchmarkRoundTrip(b *testing.B) {
	server := serve(b, "127.0.0.1", echo)
	where := target(b, dial.TCP, "127.0.0.1", server.Port())
	for name, connect := range map[string]func() (net.Conn, error){
		"native": func() (net.Conn, error) { return net.Dial("tcp", server.String()) },
		"dial":   func() (net.Conn, error) { return dial.Dialer{}.Dial(b.Context(), where, anywhere) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				conn, err := connect()
				if err != nil {
					b.Fatal(err)
				}
				roundTrip(b, conn)
			}
		})
	}
}

func roundTrip(b *testing.B, conn net.Conn) {
	defer conn.Close()
	conn.(*net.TCPConn).SetLinger(0) // else the ports run out
	buf := []byte{'x'}
	if _, err := conn.Write(buf); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(conn, buf); err != nil {
		b.Fatal(err)
	}
}
