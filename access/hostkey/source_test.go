package hostkey_test

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/access/hostkey"
	"github.com/wasmagent/wasmagent/internal/needs"
)

// journal is a logger that a test reads. It is not for several goroutines.
func journal() (*slog.Logger, *bytes.Buffer) {
	var text bytes.Buffer
	return slog.New(slog.NewTextHandler(&text, nil)), &text
}

// handshake has a client and a server meet. The error is what both say.
func handshake(t *testing.T, server, client *tls.Config) (state tls.ConnectionState, err error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	refused := make(chan error, 1)
	go func() {
		far, err := listener.Accept()
		if err == nil {
			defer far.Close()
			_, err = tls.Server(far, server).Write([]byte("hello"))
		}
		refused <- err
	}()
	near, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(near, client)
	_, err = c.Read(make([]byte, 5))
	near.Close()
	err = errors.Join(<-refused, err)
	return c.ConnectionState(), err
}

func TestSourceFollowsTheFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := hostkey.Files{Certificate: filepath.Join(dir, "c"), Key: filepath.Join(dir, "k")}
	one, two := newPair(t, nil, time.Hour), newPair(t, nil, time.Hour)
	write(t, f.Certificate, one.chain)
	write(t, f.Key, one.pem)
	synctest.Test(t, func(t *testing.T) {
		log, text := journal()
		s, err := hostkey.Open(f, log)
		if err != nil {
			t.Fatal(err)
		}
		shows := func(what string, want *pair, errors int) {
			t.Helper()
			for range 3 {
				time.Sleep(2 * time.Second)
				if c, err := s.Certificate(nil); err != nil || !c.Leaf.Equal(want.parsed) {
					t.Errorf("%s: shows %v, %v", what, c.Leaf.SerialNumber, err)
				}
			}
			if n := strings.Count(text.String(), "level=ERROR"); n != errors {
				t.Errorf("%s: %d errors, want %d:\n%s", what, n, errors, text)
			}
		}
		shows("first", one, 0)
		replace(t, f.Certificate, two.chain)
		shows("with the old key", one, 1)
		replace(t, f.Key, two.pem)
		shows("both", two, 1)
		replace(t, f.Key, []byte("junk"))
		shows("junk", two, 2)
		if err := os.Remove(f.Certificate); err != nil {
			t.Fatal(err)
		}
		shows("removed", two, 3)
		replace(t, f.Certificate, one.chain)
		replace(t, f.Key, one.pem)
		shows("back again", one, 3)
	})
}

// replace puts a file in the place of another one, as renewals do.
func replace(t *testing.T, name string, text []byte) {
	t.Helper()
	write(t, name+".new", text)
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, two := newPair(t, nil, time.Hour), newPair(t, nil, time.Hour)
	for name, text := range map[string][]byte{"c": one.chain, "k": one.pem, "k2": two.pem, "open": one.pem} {
		write(t, filepath.Join(dir, name), text)
	}
	chmod(t, filepath.Join(dir, "open"), 0o644)
	for _, row := range []struct{ certificate, key, want string }{
		{"c", "k", ""},
		{"c", "k2", "private key does not match"},
		{"c", "none", "none"},
		{"none", "k", "none"},
		{"k", "c", "with the key"},
		{"c", "open", map[bool]string{true: "chmod 600"}[onUnix]},
	} {
		log, _ := journal()
		_, err := hostkey.Open(hostkey.Files{Certificate: filepath.Join(dir, row.certificate), Key: filepath.Join(dir, row.key)}, log)
		wantError(t, err, row.want)
	}
}

func TestHostKeyRenewsItsCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/tls"
	synctest.Test(t, func(t *testing.T) {
		log, text := journal()
		s, err := hostkey.Host(dir, log)
		if err != nil {
			t.Fatal(err)
		}
		first, _ := s.Certificate(nil)
		time.Sleep(8 * 365 * 24 * time.Hour)
		if c, _ := s.Certificate(nil); !c.Leaf.Equal(first.Leaf) {
			t.Error("it is renewed after eight years already")
		}
		time.Sleep(366 * 24 * time.Hour)
		s.Certificate(nil) // renews it
		time.Sleep(2 * time.Second)
		c, _ := s.Certificate(nil)
		if c.Leaf.Equal(first.Leaf) || time.Until(c.Leaf.NotAfter) < 9*365*24*time.Hour {
			t.Errorf("after nine years it shows one that is good until %v:\n%s", c.Leaf.NotAfter, text)
		}
		if !c.Leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(first.Leaf.PublicKey) {
			t.Error("the key is another")
		}
	})
}

func TestServer(t *testing.T) {
	t.Parallel()
	log, _ := journal()
	s, err := hostkey.Host(t.TempDir()+"/tls", log)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := s.Certificate(nil)
	roots := x509.NewCertPool()
	roots.AddCert(c.Leaf)
	for _, row := range []struct {
		client *tls.Config
		want   string
	}{
		{&tls.Config{ServerName: "localhost", RootCAs: roots}, ""},
		{&tls.Config{ServerName: "127.0.0.1", RootCAs: roots}, ""},
		{&tls.Config{ServerName: "localhost", RootCAs: roots, MaxVersion: tls.VersionTLS12}, ""},
		{&tls.Config{ServerName: "localhost", RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, "unsupported version"},
		{&tls.Config{ServerName: "localhost"}, "bad certificate"},
	} {
		_, err := handshake(t, hostkey.Server(s, nil), row.client)
		wantError(t, err, row.want)
	}
}

// TestCurl has a client that is not Go's trust the certificate of the host key.
func TestCurl(t *testing.T) {
	t.Parallel()
	curl := needs.Program(t, "curl")
	dir := t.TempDir() + "/tls"
	source, err := hostkey.Host(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
	server.Listener = tls.NewListener(server.Listener, hostkey.Server(source, nil))
	server.Start()
	defer server.Close()
	out, err := exec.CommandContext(t.Context(), curl, "-sS", "--cacert", filepath.Join(dir, "cert.pem"), "https://"+server.Listener.Addr().String()).CombinedOutput()
	if err != nil || string(out) != "hello" {
		t.Errorf("curl: %v, %s", err, out)
	}
}
