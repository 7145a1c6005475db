package listen_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/wasmagent/wasmagent/internal/tlstest"
	"github.com/wasmagent/wasmagent/listen"
)

// echo answers each connection with what it sends up to a newline.
type echo struct{}

func (echo) ServeConn(ctx context.Context, c *listen.Conn) {
	line := readLine(c)
	end, err := c.Begin(ctx)
	if err != nil {
		io.WriteString(c, err.Error()+"\n")
		return
	}
	defer end()
	io.WriteString(c, line+"\n")
}

// readLine reads byte by byte, so that nothing is read beyond the line.
func readLine(r io.Reader) string {
	var line strings.Builder
	for b := make([]byte, 1); ; {
		if _, err := r.Read(b); err != nil || b[0] == '\n' {
			return line.String()
		}
		line.WriteByte(b[0])
	}
}

// A gate is a Handler whose requests wait until it is opened.
type gate struct {
	began chan struct{}
	open  chan struct{}
}

func newGate() gate { return gate{make(chan struct{}, 1000), make(chan struct{})} }

func (g gate) ServeConn(ctx context.Context, c *listen.Conn) {
	readLine(c)
	end, err := c.Begin(ctx)
	if err != nil {
		io.WriteString(c, err.Error()+"\n")
		return
	}
	defer end()
	g.began <- struct{}{}
	select {
	case <-g.open:
		io.WriteString(c, "answer\n")
	case <-ctx.Done():
		io.WriteString(c, "cut\n")
	}
}

// logged is what a listener logs.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

var quiet = slog.New(slog.DiscardHandler)

// open opens a listener on the loopback that is closed with the test.
func open(t *testing.T, s listen.Settings) *listen.Listener {
	t.Helper()
	if s.Log == nil {
		s.Log = quiet
	}
	l, err := listen.Serve(bind(t), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(stopped()) })
	return l
}

// bind binds a port of the loopback.
func bind(t *testing.T) net.Listener {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return socket
}

// stopped is a context that has ended.
func stopped() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func dial(t *testing.T, l *listen.Listener) net.Conn {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// ask sends a line and returns what comes until the connection is closed.
func ask(t *testing.T, c net.Conn, line string) string {
	t.Helper()
	io.WriteString(c, line+"\n")
	answer, _ := io.ReadAll(c)
	c.Close()
	return strings.TrimSuffix(string(answer), "\n")
}

func TestPlain(t *testing.T) {
	t.Parallel()
	l := open(t, listen.Settings{Handler: echo{}})
	if got := ask(t, dial(t, l), "hello"); got != "hello" {
		t.Errorf("the answer is %q", got)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert, pool := tlstest.Certificate(t)
	l := open(t, listen.Settings{Handler: echo{}, TLS: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10}})
	c := tls.Client(dial(t, l), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	if got := ask(t, c, "hello"); got != "hello" {
		t.Errorf("the answer is %q", got)
	}
	old := tls.Client(dial(t, l), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err := old.HandshakeContext(t.Context()); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
}

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	cert, pool := tlstest.Certificate(t)
	client, _ := tlstest.Certificate(t)
	l := open(t, listen.Settings{Handler: echo{}, TLS: &tls.Config{
		Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}})
	for _, row := range []struct {
		name  string
		certs []tls.Certificate
		want  string
	}{
		{"signed", []tls.Certificate{cert}, "hello"},
		{"signed by another", []tls.Certificate{client}, ""},
		{"none", nil, ""},
	} {
		c := tls.Client(dial(t, l), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", Certificates: row.certs})
		if got := ask(t, c, "hello"); got != row.want {
			t.Errorf("%s: the answer is %q, want %q", row.name, got, row.want)
		}
	}
}

// TestHandshakeHints looks for what to do about handshakes that fail.
func TestHandshakeHints(t *testing.T) {
	t.Parallel()
	cert, pool := tlstest.Certificate(t)
	server := &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	for want, client := range map[string]*tls.Config{
		"as check_nrpe before 3.0 does":     {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}},
		"the client needs TLS 1.2 at least": {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		"check_nrpe -C and -K":              {},
	} {
		var log logged
		l := open(t, listen.Settings{Handler: echo{}, TLS: server, Log: log.logger()})
		client.InsecureSkipVerify = true
		if got := ask(t, tls.Client(dial(t, l), client), "hello"); got != "" {
			t.Errorf("the answer is %q", got)
		}
		l.Close(t.Context())
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, &log)
		}
	}
}

// TestHint asks with TLS where there is none, and the other way round.
func TestHint(t *testing.T) {
	t.Parallel()
	cert, _ := tlstest.Certificate(t)
	var log logged
	secured := open(t, listen.Settings{Handler: echo{}, TLS: &tls.Config{Certificates: []tls.Certificate{cert}}, Log: log.logger()})
	if got := ask(t, dial(t, secured), "hello"); got != listen.ErrPlain.Error() {
		t.Errorf("without TLS the answer is %q", got)
	}
	plain := open(t, listen.Settings{Handler: echo{}, Log: log.logger()})
	if err := tls.Client(dial(t, plain), &tls.Config{InsecureSkipVerify: true}).HandshakeContext(t.Context()); err == nil {
		t.Error("TLS is spoken without a certificate")
	}
	for _, want := range []string{"the client does not speak TLS, and this port does", "the client speaks TLS, and this port does not"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, &log)
		}
	}
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	var log logged
	var asked netip.Addr
	l := open(t, listen.Settings{Handler: echo{}, Log: log.logger(), Allowed: func(_ context.Context, peer netip.Addr) bool { asked = peer; return false }})
	if got := ask(t, dial(t, l), "hello"); got != "" {
		t.Errorf("the answer is %q", got)
	}
	l.Close(t.Context())
	if asked != netip.MustParseAddr("127.0.0.1") || !strings.Contains(log.String(), "not one of the allowed hosts") {
		t.Errorf("%s was asked for; the log says\n%s", asked, &log)
	}
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	l := open(t, listen.Settings{Handler: echo{}})
	for _, row := range []struct {
		name     string
		settings listen.Settings
		says     string
	}{
		{"no handler", listen.Settings{}, "no handler"},
		{"a second configuration", listen.Settings{Handler: echo{}, TLS: &tls.Config{
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil },
		}}, "GetConfigForClient"},
	} {
		if _, err := listen.Serve(bind(t), row.settings); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", row.name, err, row.says)
		}
	}
	if err := l.Set(listen.Settings{}); err == nil {
		t.Error("settings without a handler are taken")
	}
	if got := ask(t, dial(t, l), "hello"); got != "hello" {
		t.Errorf("after that, the answer is %q", got)
	}
}

func TestCloseWaits(t *testing.T) {
	t.Parallel()
	g := newGate()
	l := open(t, listen.Settings{Handler: g})
	c := dial(t, l)
	io.WriteString(c, "x\n")
	<-g.began
	closed := make(chan error)
	go func() { closed <- l.Close(context.Background()) }()
	close(g.open)
	if answer, _ := io.ReadAll(c); string(answer) != "answer\n" {
		t.Errorf("the answer is %q", answer)
	}
	c.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestCloseCuts(t *testing.T) {
	t.Parallel()
	g := newGate()
	l := open(t, listen.Settings{Handler: g})
	c := dial(t, l)
	io.WriteString(c, "x\n")
	<-g.began
	if err := l.Close(stopped()); err == nil || !strings.Contains(err.Error(), "1 connections were cut off") {
		t.Errorf("%v", err)
	}
	if answer, _ := io.ReadAll(c); string(answer) != "" {
		t.Errorf("the answer is %q", answer)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("it still listens")
	}
}

type panics struct{}

func (panics) ServeConn(context.Context, *listen.Conn) { panic("oh no") }

func TestPanic(t *testing.T) {
	t.Parallel()
	var log logged
	l := open(t, listen.Settings{Handler: panics{}, Log: log.logger()})
	if got := ask(t, dial(t, l), "hello"); got != "" {
		t.Errorf("the answer is %q", got)
	}
	l.Close(t.Context())
	if !strings.Contains(log.String(), "oh no") {
		t.Errorf("the log says\n%s", &log)
	}
}
