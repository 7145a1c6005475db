package nrpe_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/listen"
	"github.com/wasmagent/wasmagent/listen/internal/pipes"
	"github.com/wasmagent/wasmagent/listen/nrpe"
)

// runner answers for a few commands.
func runner(_ context.Context, req check.Request) (check.Result, error) {
	if req.Origin != check.NRPE {
		return check.Result{}, errors.New("not from NRPE")
	}
	switch req.Command {
	case "check_ok":
		return check.Result{State: check.StateOK, Text: "fine", Perf: []check.Perf{{Label: "load", Value: 1.5, Warn: &check.Range{End: 5}}}}, nil
	case "check_critical":
		return check.Result{State: check.StateCritical, Text: "bad"}, nil
	case "check_args":
		return check.Result{State: check.StateWarning, Text: strings.Join(req.Args, ",")}, nil
	case "check_large":
		return check.Result{State: check.StateOK, Text: "large", Long: strings.Repeat("ä", 100<<10)}, nil
	case "check_silent":
		return check.Result{State: check.StateOK}, nil
	}
	return check.Result{}, errors.New("no command " + req.Command)
}

func handler() nrpe.Handler {
	return nrpe.Handler{Runner: check.RunnerFunc(runner), Commands: access.Commands{"*"}, AllowArguments: true, Version: "wasmagent 1.2.3"}
}

// open serves a handler on the loopback, without TLS unless settings say so.
func open(t *testing.T, s listen.Settings) *listen.Listener {
	t.Helper()
	if s.Handler == nil {
		s.Handler = handler()
	}
	s.Log = slog.New(slog.DiscardHandler)
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := listen.Serve(socket, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		l.Close(ctx)
	})
	return l
}

// packet is a request as check_nrpe sends it.
func packet(version uint16, text string) []byte {
	var p []byte
	switch version {
	case 2:
		p = make([]byte, 1036)
		copy(p[10:1034], text+"\x00random bytes follow")
	case 3, 4:
		p = make([]byte, 16+max(1020, len(text)+1)+3*int(4-version))
		binary.BigEndian.PutUint32(p[12:], uint32(max(1020, len(text)+1)))
		copy(p[16:], text)
	}
	binary.BigEndian.PutUint16(p, version)
	binary.BigEndian.PutUint16(p[2:], 1)
	return seal(p)
}

// large is a request of version 2 with a text of another size, as check_nrpe -P sends it.
func large(size int, text string) []byte {
	p := make([]byte, 10+size+2)
	copy(p, packet(2, "")[:10])
	copy(p[10:], text)
	return seal(p)
}

// seal puts the checksum into a packet.
func seal(p []byte) []byte {
	clear(p[4:8])
	binary.BigEndian.PutUint32(p[4:], crc32.ChecksumIEEE(p))
	return p
}

// with changes a packet and its checksum.
func with(p []byte, offset int, value ...byte) []byte {
	copy(p[offset:], value)
	return seal(p)
}

// An answer is a packet that came back.
type answer struct {
	version, result uint16
	text            string
}

// parse reads the packet of an answer, all of it and nothing after it.
func parse(t *testing.T, p []byte) (a answer) {
	t.Helper()
	if len(p) < 17 {
		t.Errorf("the answer has %d bytes", len(p))
		return a
	}
	a = answer{version: binary.BigEndian.Uint16(p), result: binary.BigEndian.Uint16(p[8:])}
	sum := binary.BigEndian.Uint32(p[4:])
	kind := binary.BigEndian.Uint16(p[2:])
	text, size := p[10:], 1036
	if a.version == 2 {
		size = max(size, len(p))
	} else {
		text = p[16:]
		size = 16 + int(binary.BigEndian.Uint32(p[12:])) + 3*int(4-a.version)
	}
	if seal(p); len(p) != size || kind != 2 || sum != binary.BigEndian.Uint32(p[4:]) {
		t.Errorf("the answer has %d bytes and not %d, is of type %d, and its checksum is %08x", len(p), size, kind, sum)
	}
	a.text, _, _ = strings.Cut(string(text), "\x00")
	return a
}

// ask sends bytes and then no more, and reads what comes back.
func ask(t *testing.T, l *listen.Listener, pieces ...[]byte) answer {
	t.Helper()
	c := dial(t, l)
	defer c.Close()
	for _, piece := range pieces {
		c.Write(piece)
	}
	c.(*net.TCPConn).CloseWrite()
	got, err := io.ReadAll(c)
	if err != nil {
		t.Error(err)
	}
	return parse(t, got)
}

func dial(t *testing.T, l *listen.Listener) net.Conn {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// requestRows are requests and their answers. A "..." at the end of a text stands
// for more.
var requestRows = []struct {
	name   string
	packet []byte
	want   answer
}{
	{"v2", packet(2, "check_ok"), answer{2, 0, "fine|load=1.5;5"}},
	{"v3", packet(3, "check_ok"), answer{3, 0, "fine|load=1.5;5"}},
	{"v4", packet(4, "check_ok"), answer{4, 0, "fine|load=1.5;5"}},
	{"v4, long", packet(4, "check_args!"+strings.Repeat("x", 60000)), answer{4, 1, strings.Repeat("x", 60000)}},
	{"critical", packet(4, "check_critical"), answer{4, 2, "bad"}},
	{"silent", packet(4, "check_silent"), answer{4, 0, "OK"}},
	{"large in v2", packet(2, "check_large"), answer{2, 0, "large\n" + strings.Repeat("ä", 507) + "..."}},
	{"large in v4", packet(4, "check_large"), answer{4, 0, "large\n" + strings.Repeat("ä", 32763) + "..."}},
	{"version", packet(2, "_NRPE_CHECK"), answer{2, 0, "wasmagent 1.2.3"}},
	{"arguments", packet(4, "check_args!a!b c!$(x)`;\"'"), answer{4, 1, "a,b c,$(x)`;\"'"}},
	{"empty arguments", packet(4, "check_args!a!!b!!!"), answer{4, 1, "a,,b"}},
	{"no arguments", packet(4, "check_args!!"), answer{4, 1, "WARNING"}},
	{"padding that is not zero", func() []byte { p := packet(4, "check_ok"); p[10] = 1; return p }(), answer{4, 0, "fine|load=1.5;5"}},
	{"unknown", packet(4, "nothing"), answer{4, 3, "no command nothing"}},
	{"no command", packet(4, ""), answer{4, 3, "NRPE: no command; name one (check_nrpe -c)"}},
	{"an argument alone", packet(2, "!a"), answer{2, 3, "NRPE: no command; name one (check_nrpe -c)"}},
	{"checksum", append([]byte{0, 4, 0, 1, 1, 2, 3, 4}, packet(4, "check_ok")[8:]...), answer{4, 3, "NRPE: the request's checksum is 01020304, and it should be ..."}},
	{"a response", with(packet(2, "check_ok"), 2, 0, 2), answer{2, 3, "NRPE: the packet is of type 2; a request is of type 1"}},
	{"version 1", with(packet(2, "check_ok"), 0, 0, 1), answer{2, 3, "NRPE: the request is of version 1; versions 2, 3 and 4 are spoken"}},
	{"version 5", with(packet(4, "check_ok"), 0, 0, 5), answer{2, 3, "NRPE: the request is of version 5; ..."}},
	{"HTTP", []byte("GET / HTTP/1.1\r\n\r\n"), answer{2, 3, "NRPE: the request is of version 18245; ..."}},
	{"no NUL in v2", with(packet(2, strings.Repeat("x", 1036)), 1033, 'x'), answer{2, 3, "NRPE: the request's text does not end with a NUL"}},
	{"no NUL in v4", with(packet(4, strings.Repeat("x", 2000)), 16+2000, 'x'), answer{4, 3, "NRPE: the request's text does not end with a NUL"}},
	{"length 0", with(packet(4, "")[:16], 12, 0, 0, 0, 0), answer{4, 3, "NRPE: the request's text does not end with a NUL"}},
	{"too long", with(packet(4, "check_ok"), 12, 0, 1, 0, 1), answer{4, 3, "NRPE: the request says that it is 65537 bytes long; 65536 is the limit"}},
	{"a negative length", with(packet(3, "check_ok"), 12, 0xff, 0xff, 0xff, 0xff), answer{3, 3, "NRPE: the request says that it is 4294967295 bytes long; 65536 is the limit"}},
	{"a larger v2", large(2048, "check_ok"), answer{2, 0, "fine|load=1.5;5"}},
	{"a larger v2 with a long text", large(4096, "check_args!"+strings.Repeat("x", 4000)), answer{2, 1, strings.Repeat("x", 4000)}},
	{"a larger v2 with a long answer", large(4096, "check_large"), answer{2, 0, "large\n" + strings.Repeat("ä", 2043) + "..."}},
	{"a larger v2 and more after it", append(large(2048, "check_ok"), make([]byte, 5000)...), answer{2, 0, "fine|load=1.5;5"}},
	{"a damaged v2", append([]byte{0, 2, 0, 1, 1, 2, 3, 4}, packet(2, "check_ok")[8:]...), answer{2, 3, "NRPE: the request's checksum is 01020304, ..."}},
	{"a damaged larger v2", append([]byte{0, 2, 0, 1, 1, 2, 3, 4}, large(2048, "check_ok")[8:]...), answer{2, 3, "NRPE: the request's checksum is 01020304, ..."}},
	{"a damaged v2 and much more", append([]byte{0, 2, 0, 1, 1, 2, 3, 4}, make([]byte, 1<<20)...), answer{2, 3, "NRPE: the request's checksum is 01020304, ..."}},
	{"cut in the head", packet(4, "check_ok")[:9], answer{2, 3, "NRPE: the request ends after 9 bytes"}},
	{"cut in the length", packet(4, "check_ok")[:15], answer{4, 3, "NRPE: the request ends after 15 bytes"}},
	{"cut in the text of v2", packet(2, "check_ok")[:1035], answer{2, 3, "NRPE: the request ends after 1035 bytes"}},
	{"cut in the text of v3", packet(3, "check_ok")[:1038], answer{3, 3, "NRPE: the request ends after 1038 bytes"}},
	{"more after it", append(packet(4, "check_ok"), make([]byte, 100000)...), answer{4, 0, "fine|load=1.5;5"}},
}

func TestRequests(t *testing.T) {
	t.Parallel()
	l := open(t, listen.Settings{})
	for _, row := range requestRows {
		got := ask(t, l, row.packet)
		if start, more := strings.CutSuffix(row.want.text, "..."); more && strings.HasPrefix(got.text, start) {
			got.text = row.want.text
		}
		if got != row.want {
			t.Errorf("%s: %d %d %.200q, want %d %d %.200q", row.name, got.version, got.result, got.text, row.want.version, row.want.result, row.want.text)
		}
	}
}

// TestPieces sends a request byte by byte, and cut at every place.
func TestPieces(t *testing.T) {
	t.Parallel()
	l := open(t, listen.Settings{})
	for _, p := range [][]byte{packet(2, "check_ok"), large(2048, "check_ok"), packet(3, "check_ok"), packet(4, "check_ok")} {
		if got := ask(t, l, slices.Collect(slices.Chunk(p, 1))...); got.text != "fine|load=1.5;5" {
			t.Errorf("version %d byte by byte: %q", p[1], got.text)
		}
		for at := 1; at < len(p); at += 1 + at/20 {
			if got := ask(t, l, p[:at], p[at:]); got.text != "fine|load=1.5;5" {
				t.Errorf("version %d cut at %d: %q", p[1], at, got.text)
			}
		}
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	commands := access.Commands{"Check_*", "web.[ab]"}
	restricted := open(t, listen.Settings{Handler: nrpe.Handler{Runner: check.RunnerFunc(runner), Commands: commands}})
	closed := open(t, listen.Settings{Handler: nrpe.Handler{Runner: check.RunnerFunc(runner)}})
	for _, row := range []struct {
		l          *listen.Listener
		text, want string
	}{
		{restricted, "check_ok", "fine|load=1.5;5"},
		{restricted, "CHECK_x", "no command CHECK_x"},
		{restricted, "web.a", "no command web.a"},
		{restricted, "web.c", `NRPE: command "web.c" is not allowed; add it to commands under [nrpe] in config.toml`},
		{restricted, "check_args!a", `NRPE: command "check_args": arguments are not allowed; set allow_arguments = true under [nrpe] in config.toml`},
		{restricted, "check_args!", "WARNING"},
		{closed, "check_ok", `NRPE: command "check_ok" is not allowed; add it to commands under [nrpe] in config.toml`},
		{closed, "_NRPE_CHECK", "wasmagent"},
	} {
		if got := ask(t, row.l, packet(4, row.text)); got.text != row.want {
			t.Errorf("%s: %q, want %q", row.text, got.text, row.want)
		}
	}
}

// TestOverload fills the listener with a request that does not end.
func TestOverload(t *testing.T) {
	t.Parallel()
	began, finish := make(chan struct{}), make(chan struct{})
	wait := check.RunnerFunc(func(context.Context, check.Request) (check.Result, error) {
		close(began)
		<-finish
		return check.Result{State: check.StateOK, Text: "late"}, nil
	})
	l := open(t, listen.Settings{Handler: nrpe.Handler{Runner: wait, Commands: access.Commands{"*"}}, Limits: listen.Limits{Requests: 1}})
	first := dial(t, l)
	defer first.Close()
	first.Write(packet(4, "x"))
	<-began
	for version := range uint16(3) {
		got := ask(t, l, packet(version+2, "x"))
		if want := (answer{version + 2, 3, "NRPE: the agent answers as many requests as it may; ask again later"}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	close(finish)
	if got, _ := io.ReadAll(first); parse(t, got).text != "late" {
		t.Errorf("the first: %q", got)
	}
}

// TestRate asks more often than a peer may.
func TestRate(t *testing.T) {
	t.Parallel()
	l := open(t, listen.Settings{Limits: listen.Limits{PeerRate: 1e-6}})
	if got := ask(t, l, packet(4, "check_ok")); got.result != 0 {
		t.Errorf("the first: %+v", got)
	}
	l.Set(listen.Settings{Handler: handler(), Limits: listen.Limits{PeerRate: 1e3}, Log: slog.New(slog.DiscardHandler)})
	if got := ask(t, l, packet(4, "check_ok")); got.result != 0 {
		t.Errorf("with a larger rate: %+v", got)
	}
}

// TestWithoutTLS asks a port of TLS as check_nrpe -n does.
func TestWithoutTLS(t *testing.T) {
	t.Parallel()
	l := open(t, listen.Settings{TLS: &tls.Config{Certificates: []tls.Certificate{hostCertificate(t).Certificate}}})
	for _, version := range []uint16{2, 4} {
		want := answer{version, 3, "NRPE: this port speaks TLS, and the client does not; ask with TLS"}
		if got := ask(t, l, packet(version, "check_ok")); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

// TestDeadline begins requests that it does not end.
func TestDeadline(t *testing.T) {
	t.Parallel()
	for sent, want := range map[int]string{5: "NRPE: the request ends after 5 bytes", 500: "NRPE: the request ends after 500 bytes"} {
		synctest.Test(t, func(t *testing.T) {
			socket := pipes.New()
			l, err := listen.Serve(socket, listen.Settings{Handler: handler(), Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			c, start := socket.Dial(t, "127.0.0.1"), time.Now()
			c.Write(packet(4, "check_ok")[:sent])
			got, _ := io.ReadAll(c)
			if a, took := parse(t, got), time.Since(start); a.text != want || took != 10*time.Second {
				t.Errorf("%d bytes: %q after %s, want %q", sent, a.text, took, want)
			}
			l.Close(t.Context())
		})
	}
}

// TestNotAllowed asks from where nobody may.
func TestNotAllowed(t *testing.T) {
	t.Parallel()
	l := open(t, listen.Settings{Allowed: func(context.Context, netip.Addr) bool { return false }})
	c := dial(t, l)
	defer c.Close()
	c.Write(packet(4, "check_ok"))
	if got, _ := io.ReadAll(c); len(got) > 0 {
		t.Errorf("the answer is %q", got)
	}
}

// TestManyClients has clients ask over new connections while each of them changes the
// settings.
func TestManyClients(t *testing.T) {
	t.Parallel()
	host := hostCertificate(t)
	settings := listen.Settings{
		Handler: handler(), TLS: &tls.Config{Certificates: []tls.Certificate{host.Certificate}},
		Limits: listen.Limits{PeerRate: 1e6}, Log: slog.New(slog.DiscardHandler),
	}
	l := open(t, settings)
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for i := range 12 {
				if err := l.Set(settings); err != nil {
					t.Error(err)
				}
				c := tls.Client(dial(t, l), &tls.Config{RootCAs: host.pool, ServerName: "127.0.0.1"})
				c.Write(packet(uint16(2+i%3), "check_ok"))
				got, err := io.ReadAll(c)
				if a := parse(t, got); err != nil || a.text != "fine|load=1.5;5" {
					t.Errorf("%+v, %v", a, err)
				}
				c.Close()
			}
		})
	}
	asking.Wait()
}
