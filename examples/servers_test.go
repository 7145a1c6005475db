package examples_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority signs the certificates of the servers.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{certificate, key}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// file writes the authority as PEM.
func (a authority) file(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
	if err := os.WriteFile(name, block, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// sign makes the certificate of a server that is valid between two times from
// now, for a name and, where that is localhost, for its address.
func (a authority) sign(t *testing.T, name string, from, to time.Duration) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to), DNSNames: []string{name},
	}
	if name == "localhost" {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key}
}

const day = 24 * time.Hour

// servers starts the servers of the tests, and returns their ports by name.
func servers(t *testing.T, ca authority) map[string]string {
	t.Helper()
	ports := map[string]string{"closed": closed(t), "http": serve(t, nil)}
	for name, certificate := range map[string]tls.Certificate{
		"tls":     ca.sign(t, "localhost", -day, 100*day),
		"soon":    ca.sign(t, "localhost", -day, 10*day+time.Hour),
		"today":   ca.sign(t, "localhost", -day, time.Hour),
		"expired": ca.sign(t, "localhost", -10*day, -2*day),
		"early":   ca.sign(t, "localhost", day, 100*day),
		"other":   ca.sign(t, "other.example", -day, 100*day),
		"unknown": newAuthority(t).sign(t, "localhost", -day, 100*day),
	} {
		ports[name] = serve(t, &certificate)
	}
	return ports
}

// closed is a port that nobody listens on, nor can until the test ends: a connection
// begins there.
func closed(t *testing.T) string {
	t.Helper()
	listener := listenLocally(t)
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); listener.Close() })
	return fmt.Sprint(conn.LocalAddr().(*net.TCPAddr).Port)
}

// free is a port that a program can listen on which is started at once.
func free(t *testing.T) string {
	t.Helper()
	listener := listenLocally(t)
	defer listener.Close()
	return port(listener)
}

func listenLocally(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func port(listener net.Listener) string {
	return fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
}

// serve starts a web server, by TLS if it has a certificate.
func serve(t *testing.T, certificate *tls.Certificate) string {
	t.Helper()
	s := httptest.NewUnstartedServer(site())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(s.Close)
	if certificate == nil {
		s.Start()
		return port(s.Listener)
	}
	s.TLS = &tls.Config{Certificates: []tls.Certificate{*certificate}}
	s.StartTLS()
	return port(s.Listener)
}

const status = `{"up": true, "queues": [{"name": "mail", "length": 12}, {"name": "b c", "length": 3}], "load": "0.5", "none": null, "a.b": {"c d": -1}}`

// site is what the servers answer.
func site() http.Handler {
	m := http.NewServeMux()
	pages := map[string]string{"/{$}": "hello world\nsecond line\n", "/status": status, "/twice": "{} {}", "/deep": strings.Repeat("[", 20000)}
	for path, text := range pages {
		m.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) })
	}
	for path, location := range map[string]string{
		"/home": "/", "/loop": "/loop", "/ping": "/pong", "/pong": "/ping", "/ftp": "ftp://127.0.0.1/", "/status/old": "../status",
		"/away": "http://127.0.0.2/",
	} {
		m.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusFound)
		})
	}
	for path, answer := range map[string]string{
		"/raw/nothing": "", "/raw/ssh": "SSH-2.0-x\r\n", "/raw/http2": "HTTP/2.0 200 OK\r\n\r\n", "/raw/99": "HTTP/1.1 99 x\r\n\r\n",
		"/raw/nowhere": "HTTP/1.1 302 Found\r\n\r\n",
		"/raw/short":   "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "/raw/header": "HTTP/1.1 200 OK\r\nnonsense\r\n\r\nabc",
	} {
		m.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { hijack(w, answer) })
	}
	for _, code := range []int{204, 400, 401, 403, 404, 500, 503} {
		m.HandleFunc(fmt.Sprintf("/%d", code), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	m.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s by %s as %s\n", r.Method, r.Host, body, r.UserAgent(), r.Header.Get("X-Test")+r.Header.Get("Authorization")+r.Header.Get("Content-Type"))
	})
	m.HandleFunc("/chunks", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "hello ")
		http.NewResponseController(w).Flush()
		io.WriteString(w, "world")
	})
	m.HandleFunc("/never", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	m.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			io.WriteString(w, strings.Repeat("x", 1<<16))
		}
	})
	return m
}

// hijack answers with these bytes.
func hijack(w http.ResponseWriter, answer string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	io.WriteString(conn, answer)
	conn.Close()
}
