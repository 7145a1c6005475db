//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/listen/rest"
)

// A client asks an agent that serves.
type client struct {
	dir       string // where the agent runs, with its data in data
	ports     map[string]string
	password  string
	signature []byte // of what is uploaded; nil is none
	web       *http.Client
	tls       *tls.Config
}

// ready waits until the agent serves, and returns a client that knows its ports, its
// certificate and, if the agent has just made it, the password of its first user.
func (s *served) ready(t *testing.T) *client {
	t.Helper()
	s.await(t, "msg=ready")
	c := &client{dir: s.cmd.Dir, ports: map[string]string{}}
	for _, m := range regexp.MustCompile(` (nrpe|rest|prometheus)=(\S+)`).FindAllStringSubmatch(s.all[len(s.all)-1], -1) {
		c.ports[m[1]] = m[2]
	}
	for _, line := range s.all {
		if _, password, ok := strings.Cut(line, "    password  "); ok {
			c.password = password
		}
	}
	c.tls = &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost"}
	if cert, err := os.ReadFile(filepath.Join(c.dir, "data", "tls", "cert.pem")); err == nil {
		c.tls.RootCAs.AppendCertsFromPEM(cert)
	}
	c.web = &http.Client{Transport: &http.Transport{TLSClientConfig: c.tls.Clone(), ForceAttemptHTTP2: true}}
	t.Cleanup(c.web.CloseIdleConnections)
	return c
}

// rest asks the REST API as the first user.
func (c *client) rest(ctx context.Context, method, path string, body io.Reader) (status int, text string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, "https://"+c.ports["rest"]+path, body)
	if err != nil {
		return 0, "", err
	}
	req.SetBasicAuth("admin", c.password)
	if c.signature != nil {
		req.Header.Set(rest.SignatureHeader, base64.StdEncoding.EncodeToString(c.signature))
	}
	answer, err := c.web.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(b), err
}

// wantRest wants an answer of the REST API with a text in it.
func (c *client) wantRest(t *testing.T, method, path string, body []byte, status int, texts ...string) {
	t.Helper()
	got, text, err := c.rest(t.Context(), method, path, bytes.NewReader(body))
	if err != nil || got != status {
		t.Errorf("%s %s: %d %s, %v; want %d", method, path, got, text, err, status)
	}
	for _, want := range texts {
		if !strings.Contains(text, want) {
			t.Errorf("%s %s answers %s, which lacks %q", method, path, text, want)
		}
	}
}

// nrpe asks for a command as check_nrpe -2 does.
func (c *client) nrpe(ctx context.Context, command string) (status int, text string, err error) {
	conn, err := (&tls.Dialer{Config: c.tls}).DialContext(ctx, "tcp", c.ports["nrpe"])
	if err != nil {
		return 0, "", err
	}
	defer conn.Close()
	packet := make([]byte, 1036)
	binary.BigEndian.PutUint16(packet, 2)
	binary.BigEndian.PutUint16(packet[2:], 1)
	copy(packet[10:], command)
	binary.BigEndian.PutUint32(packet[4:], crc32.ChecksumIEEE(packet))
	if _, err := conn.Write(packet); err != nil {
		return 0, "", err
	}
	if _, err := io.ReadFull(conn, packet); err != nil {
		return 0, "", err
	}
	line, _, _ := bytes.Cut(packet[10:], []byte{0})
	return int(binary.BigEndian.Uint16(packet[8:])), string(line), nil
}

// wantNRPE wants an answer to a command.
func (c *client) wantNRPE(t *testing.T, command string, status int, want string) {
	t.Helper()
	if got, text, err := c.nrpe(t.Context(), command); err != nil || got != status || !strings.Contains(text, want) {
		t.Errorf("%s answers %d %q, %v; want %d and %q", command, got, text, err, status, want)
	}
}

// external is an address of this machine that is not one of the loopback's.
func external(t *testing.T) net.IP {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if network, ok := a.(*net.IPNet); ok && network.IP.IsGlobalUnicast() && network.IP.To4() != nil {
			return network.IP
		}
	}
	needs.Missing(t, "the machine has no address but the loopback's")
	return nil
}

// serving is a config.toml with listeners at ports that the system chooses.
func serving(more string) string {
	return more + `
[directories]
data = "data"
[audit]
path = "audit.log"
[nrpe]
listen = ["127.0.0.1:0"]
[rest]
listen = ["127.0.0.1:0"]
`
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// versioned is a manifest of a module whose command is a.
func versioned(version int) string {
	return fmt.Sprintf(`{"name": "m", "version": "%d", "scripts": ["a.wasm"]}`, version)
}

// listener is the address of a listener of the test's own.
func listener(t *testing.T, host string) string {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}
