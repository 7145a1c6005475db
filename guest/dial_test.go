package guest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/guest"
)

// server answers by TLS with a certificate that nobody vouches for.
func server(t *testing.T, handler http.HandlerFunc) (address string, certificate *x509.Certificate) {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), s.Certificate()
}

func TestDial(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go echo(listener)
	conn, err := guest.Dial(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "hello"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(conn); err != nil || string(data) != "hello" {
		t.Errorf("%q, %v", data, err)
	}
}

// echo returns to each client what it sent until it closed its half.
func echo(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		data, _ := io.ReadAll(conn)
		conn.Write(data)
		conn.Close()
	}
}

func TestDialEndsInTime(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	conn, err := guest.Dial(ctx, "tcp", listener.Addr().String())
	if err == nil {
		_, err = conn.Read(make([]byte, 1))
		conn.Close()
	}
	if !guest.TimedOut(err) {
		t.Errorf("%v", err)
	}
	<-ctx.Done()
	if _, err := guest.Dial(ctx, "tcp", listener.Addr().String()); !guest.TimedOut(err) {
		t.Errorf("after the time: %v", err)
	}
	if _, err := guest.PeerOf(ctx, listener.Addr().String()); !guest.TimedOut(err) {
		t.Errorf("after the time: %v", err)
	}
}

func TestDialRefuses(t *testing.T) {
	t.Parallel()
	untrusted, _ := server(t, nil)
	for _, row := range []struct{ network, address, says string }{
		{"tcp", "localhost", "want HOST:PORT"},
		{"tcp", "::1:80", "want HOST:PORT"},
		{"tcp", "localhost:http", `"http" is no port`},
		{"tcp", "localhost:0", `"0" is no port`},
		{"tcp", ":80", "no host name"},
		{"tcp", "a/b:80", "no host name"},
		{"tcp", ".:80", "no host name"},
		{"unix", "localhost:80", `network "unix": want tcp, tls or udp`},
		{"tls", untrusted, "certificate"},
	} {
		conn, err := guest.Dial(t.Context(), row.network, row.address)
		if err == nil {
			conn.Close()
		}
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s %s: %v, want %q", row.network, row.address, err, row.says)
		}
	}
	if _, err := guest.PeerOf(t.Context(), "localhost"); err == nil || !strings.Contains(err.Error(), "want HOST:PORT") {
		t.Errorf("%v", err)
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"Example.COM:0443":         "example.com 443",
		"example.com.:1":           "example.com 1",
		"[::1]:80":                 "::1 80",
		"[0:0::0001]:80":           "::1 80",
		"[::ffff:127.0.0.1]:65535": "127.0.0.1 65535",
		"192.0.2.1:7":              "192.0.2.1 7",
	} {
		host, port, err := guest.Canonical(address)
		if got := host + " " + port; got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", address, got, err, want)
		}
	}
}

func TestPeer(t *testing.T) {
	t.Parallel()
	address, certificate := server(t, nil)
	p, err := guest.PeerOf(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	own := p.Certificates[0]
	if p.Version != "TLS 1.3" || p.ALPN != "h2" || p.CipherSuite != tls.CipherSuiteName(tls.TLS_AES_128_GCM_SHA256) || p.Address.String() != address {
		t.Errorf("%+v", p)
	}
	if p.Verified || !strings.Contains(p.VerificationError, "unknown authority") {
		t.Errorf("verified %v: %s", p.Verified, p.VerificationError)
	}
	if !own.NotAfter.Equal(certificate.NotAfter) || own.Subject != "O=Acme Co" || own.Name() != "example.com" || len(own.SHA256) != 64 || own.IPAddresses[0] != "127.0.0.1" {
		t.Errorf("%+v", own)
	}
}
