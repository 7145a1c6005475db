package nrpe_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/internal/tlstest"
	"github.com/wasmagent/wasmagent/listen"
	"github.com/wasmagent/wasmagent/listen/nrpe"
)

// A certificate is of its own authority, for 127.0.0.1.
type certificate struct {
	tls.Certificate
	pool         *x509.CertPool
	certPEM, key string // files
}

// hostCertificate makes one.
func hostCertificate(t *testing.T) certificate {
	t.Helper()
	cert, pool := tlstest.Certificate(t)
	secret, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return certificate{cert, pool, pemFile(t, "CERTIFICATE", cert.Certificate[0]), pemFile(t, "PRIVATE KEY", secret)}
}

func pemFile(t *testing.T, kind string, der []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// checkNRPE runs Debian's check_nrpe against a listener.
func checkNRPE(t *testing.T, l *listen.Listener, flags ...string) (status int, output string) {
	t.Helper()
	plugin := needs.Program(t, "/usr/lib/nagios/plugins/check_nrpe") // Debian: nagios-nrpe-plugin
	host, port, _ := net.SplitHostPort(l.Addr().String())
	cmd := exec.CommandContext(t.Context(), plugin, append([]string{"-D", "-E", "-H", host, "-p", port}, flags...)...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), strings.TrimSuffix(string(out), "\n")
}

func TestCheckNRPE(t *testing.T) {
	t.Parallel()
	cert := hostCertificate(t)
	signer, stranger := hostCertificate(t), hostCertificate(t)
	config := &tls.Config{Certificates: []tls.Certificate{cert.Certificate}}
	mutual := config.Clone()
	mutual.ClientAuth, mutual.ClientCAs = tls.RequireAndVerifyClientCert, signer.pool
	strict := handler()
	strict.AllowArguments = false
	var (
		secured  = open(t, listen.Settings{TLS: config})
		plain    = open(t, listen.Settings{})
		mutually = open(t, listen.Settings{TLS: mutual})
		silent   = open(t, listen.Settings{TLS: config, Handler: strict})
		nobody   = open(t, listen.Settings{TLS: config, Allowed: func(context.Context, netip.Addr) bool { return false }})
		nothing  = open(t, listen.Settings{TLS: config, Handler: nrpe.Handler{Runner: handler().Runner}})
	)
	for _, row := range []struct {
		name   string
		l      *listen.Listener
		flags  []string
		status int
		output string // with "..." at its end, more may follow
	}{
		{"no flags", secured, nil, 0, "wasmagent 1.2.3"},
		{"ok", secured, []string{"-c", "check_ok"}, 0, "fine|load=1.5;5"},
		{"critical", secured, []string{"-c", "check_critical"}, 2, "bad"},
		{"-2", secured, []string{"-2", "-c", "check_ok"}, 0, "fine|load=1.5;5"},
		{"-P", secured, []string{"-2", "-P", "8192", "-c", "check_large"}, 0, "large\n" + strings.Repeat("ä", 4091) + "..."},
		{"-3", secured, []string{"-3", "-c", "check_ok"}, 0, "fine|load=1.5;5"},
		{"-n", plain, []string{"-n", "-c", "check_ok"}, 0, "fine|load=1.5;5"},
		{"-n -2", plain, []string{"-n", "-2", "-c", "check_ok"}, 0, "fine|load=1.5;5"},
		{"-d 0", secured, []string{"-d", "0", "-c", "check_ok"}, 0, "fine|load=1.5;5"},
		{"TLS 1.2", secured, []string{"-S", "TLSv1.2", "-c", "check_ok"}, 0, "fine|load=1.5;5"},
		{"-A", secured, []string{"-A", cert.certPEM, "-c", "check_ok"}, 0, "fine|load=1.5;5"},
		{"arguments", secured, []string{"-c", "check_args", "-a", "x y", "$HOME", ";`id`", "&<>'\"\\"}, 1, "x y,$HOME,;`id`,&<>'\"\\"},
		{"64 KiB", secured, []string{"-c", "check_large"}, 0, "large\n" + strings.Repeat("ä", 32763) + "..."},
		{"1 KiB", secured, []string{"-2", "-c", "check_large"}, 0, "large\n" + strings.Repeat("ä", 507) + "..."},
		{"unknown", secured, []string{"-c", "nothing"}, 3, "no command nothing"},
		{"arguments refused", silent, []string{"-c", "check_args", "-a", "x"}, 3, `NRPE: command "check_args": arguments are not allowed; ...`},
		{"command refused", nothing, []string{"-c", "check_ok"}, 3, `NRPE: command "check_ok" is not allowed; ...`},
		{"mutual", mutually, []string{"-C", signer.certPEM, "-K", signer.key, "-A", cert.certPEM, "-c", "check_ok"}, 0, "fine|load=1.5;5"},
		{"mutual, TLS 1.2", mutually, []string{"-S", "TLSv1.2", "-C", signer.certPEM, "-K", signer.key, "-c", "check_ok"}, 0, "fine|load=1.5;5"},
		{"a certificate that is not asked for", secured, []string{"-C", signer.certPEM, "-K", signer.key, "-c", "check_ok"}, 0, "fine|load=1.5;5"},
		{"-n to TLS", secured, []string{"-n", "-c", "check_ok"}, 3, "NRPE: this port speaks TLS, and the client does not; ask with TLS"},
		{"-n -2 to TLS", secured, []string{"-n", "-2", "-c", "check_ok"}, 3, "NRPE: this port speaks TLS, and the client does not; ask with TLS"},
		{"no certificate", mutually, []string{"-c", "check_ok"}, 3, "CHECK_NRPE: ..."},
		{"another certificate", mutually, []string{"-C", stranger.certPEM, "-K", stranger.key, "-c", "check_ok"}, 3, "CHECK_NRPE: ..."},
		{"TLS to a plain port", plain, []string{"-c", "check_ok"}, 2, "CHECK_NRPE: ..."},
		{"not an allowed host", nobody, []string{"-c", "check_ok"}, 2, "CHECK_NRPE: ..."},
		{"TLS 1.1", secured, []string{"-S", "TLSv1.1", "-c", "check_ok"}, 2, "CHECK_NRPE: ..."},
		{"anonymous suites", secured, []string{"-d", "2", "-S", "TLSv1.2", "-c", "check_ok"}, 2, "CHECK_NRPE: ..."},
	} {
		status, output := checkNRPE(t, row.l, row.flags...)
		if start, more := strings.CutSuffix(row.output, "..."); more && strings.HasPrefix(output, start) {
			output = row.output
		}
		if status != row.status || output != row.output {
			t.Errorf("%s: %d %.300q, want %d %.100q", row.name, status, output, row.status, row.output)
		}
	}
}

// TestOneConnection counts the connections that check_nrpe makes: it makes a second
// one where an answer does not please it.
func TestOneConnection(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	count := func(context.Context, netip.Addr) bool { connections.Add(1); return true }
	strict := handler()
	strict.AllowArguments = false
	l := open(t, listen.Settings{Handler: strict, Allowed: count, TLS: &tls.Config{Certificates: []tls.Certificate{hostCertificate(t).Certificate}}})
	for _, flags := range []string{"", "-c check_ok", "-2 -c check_ok", "-3 -c check_ok", "-c nothing", "-c check_args -a x", "-c check_large", "-n -c check_ok"} {
		connections.Store(0)
		checkNRPE(t, l, strings.Fields(flags)...)
		if n := connections.Load(); n != 1 {
			t.Errorf("%s: %d connections", flags, n)
		}
	}
}
