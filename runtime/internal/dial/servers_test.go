package dial_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wasmagent/wasmagent/runtime/internal/dial"
)

// anywhere is the rule that allows every address.
func anywhere(netip.AddrPort, bool) error { return nil }

var errLoopback = errors.New("is loopback, which no grant names")

// noLoopback is the rule that allows all others.
func noLoopback(addr netip.AddrPort, _ bool) error {
	if addr.Addr().IsLoopback() {
		return errLoopback
	}
	return nil
}

// serve answers every connection to a new port of an address.
func serve(t testing.TB, addr string, handle func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(addr, "0"))
	if err != nil {
		t.Fatal(err)
	}
	var handling sync.WaitGroup
	handling.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			handling.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		handling.Wait()
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// echo sends back what it gets until the client closes its half, and then "bye".
func echo(conn net.Conn) {
	if _, err := io.Copy(conn, conn); err == nil {
		io.WriteString(conn, "bye")
	}
}

// closed is a port that nothing listens on.
func closed(t testing.TB, addr string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(addr, "0"))
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// target parses the path of a host with the port of a server.
func target(t testing.TB, network, host string, port uint16, more ...string) dial.Target {
	t.Helper()
	path := strings.Join(append([]string{network, host, strconv.Itoa(int(port))}, more...), "/")
	parsed, err := dial.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// checkError wants an error that matches, and whose text holds some words.
func checkError(t *testing.T, err, want error, words ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v; want %v", err, want)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("got %v; want %q in it", err, word)
		}
	}
	if len(err.Error()) > 3000 || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
		t.Errorf("%d bytes, or on several lines: %.4000q", len(err.Error()), err)
	}
}

// A zone is what a name server knows: for each name the answers, of which the
// first is given to the first question for its type, and so on; the last stays.
// A name that is not there does not exist; an answer that is nil is none at all.
type zone map[string][][]string

// A nameServer is a real one on loopback.
type nameServer struct {
	zone  zone
	asked func(name string)
	mu    sync.Mutex
	count map[string]int // questions of a name and type
}

// resolver returns a resolver that asks a name server with that zone.
func resolver(t testing.TB, z zone, asked func(name string)) (*net.Resolver, *nameServer) {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{zone: z, asked: asked, count: map[string]int{}}
	var serving sync.WaitGroup
	serving.Go(func() { s.serve(socket) })
	t.Cleanup(func() {
		socket.Close()
		serving.Wait()
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", socket.LocalAddr().String())
	}}, s
}

func (s *nameServer) serve(socket net.PacketConn) {
	buf := make([]byte, 1232)
	for {
		n, from, err := socket.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer := s.answer(buf[:n]); answer != nil {
			socket.WriteTo(answer, from)
		}
	}
}

func (s *nameServer) answer(packet []byte) []byte {
	var query dnsmessage.Message
	if err := query.Unpack(packet); err != nil || len(query.Questions) != 1 {
		return nil
	}
	q := query.Questions[0]
	name := strings.TrimSuffix(q.Name.String(), ".")
	if s.asked != nil {
		s.asked(name)
	}
	answers, exists := s.zone[name]
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: query.ID, Response: true, Authoritative: true},
		Questions: query.Questions,
	}
	if !exists {
		reply.RCode = dnsmessage.RCodeNameError
	} else if i := min(s.next(name, q.Type), len(answers)-1); answers[i] == nil {
		return nil
	} else {
		reply.Answers = records(q, answers[i])
	}
	packed, err := reply.Pack()
	if err != nil {
		panic(err) // of the test's own making
	}
	return packed
}

// next counts a question and returns how many there were before.
func (s *nameServer) next(name string, of dnsmessage.Type) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count[name+of.String()]++
	return s.count[name+of.String()] - 1
}

// questions is how often an address of IPv4 was asked for.
func (s *nameServer) questions(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[name+dnsmessage.TypeA.String()]
}

// records are those addresses that fit the question.
func records(q dnsmessage.Question, addrs []string) (list []dnsmessage.Resource) {
	for _, text := range addrs {
		addr := netip.MustParseAddr(text)
		header := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 0, Type: q.Type}
		switch {
		case q.Type == dnsmessage.TypeA && addr.Is4():
			list = append(list, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}})
		case q.Type == dnsmessage.TypeAAAA && addr.Is6():
			list = append(list, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
		}
	}
	return list
}
