package examples_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/internal/needs"
)

// nginxConf is a server with TLS, in one process, that keeps all its files in its
// own directory.
const nginxConf = `
master_process off;
pid nginx.pid;
error_log logs/error.log;
events {}
http {
	access_log logs/access.log;
	client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
	server {
		listen 127.0.0.1:%s ssl;
		ssl_certificate server.pem;
		ssl_certificate_key server.key;
		root html;
	}
}
`

// nginx starts a real web server in a directory, and returns its port.
func nginx(t *testing.T, dir string, ca authority) string {
	t.Helper()
	needs.Program(t, "nginx") // Debian: nginx-light
	port := free(t)
	certificate := ca.sign(t, "localhost", -day, 100*day)
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"nginx.conf":      fmt.Appendf(nil, nginxConf, port),
		"server.pem":      pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}),
		"server.key":      pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		"html/index.html": []byte("<h1>Welcome</h1>\n"),
		"logs/error.log":  nil,
	} {
		write(t, filepath.Join(dir, name), text)
	}
	// It listens when the command has returned.
	if message, err := exec.CommandContext(t.Context(), "nginx", "-e", "stderr", "-p", dir, "-c", "nginx.conf").CombinedOutput(); err != nil {
		t.Fatalf("nginx: %v\n%s", err, message)
	}
	t.Cleanup(func() { stop(t, filepath.Join(dir, "nginx.pid")) })
	return port
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// stop ends the process of a file.
func stop(t *testing.T, pidFile string) {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Error(err)
		return
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil {
		t.Error(err)
		return
	}
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Kill()
	}
	if err != nil {
		t.Error(err)
	}
}

// TestWebServer watches a real web server as web-server.toml does.
func TestWebServer(t *testing.T) {
	t.Parallel()
	if raceEnabled || testing.Short() {
		t.Skip("compiles large programs")
	}
	dir, ca := t.TempDir(), newAuthority(t)
	port := nginx(t, filepath.Join(dir, "nginx"), ca)
	agent := filepath.Join(dir, "wasmagent")
	compile(t, "../cmd/wasmagent", agent)
	config := filepath.Join(dir, "config.toml")
	write(t, config, configFor(t, ca.file(t), filepath.Join(dir, "nginx", "logs"), port, dir))

	for _, step := range []struct {
		ask    string
		status int
		says   string
	}{
		{"check_log -F /files/log/error.log -q \\[error\\]", 0, "initialized"},
		{"check_http -H localhost -p " + port + " -S -s Welcome -w 30 -c 60", 0, "HTTP OK: HTTP/1.1 200 OK"},
		{"check_http -H localhost -p " + port + " -S -u /missing", 1, "404"},
		{"check_cert -H localhost -p " + port + " -w 30 -c 14", 0, "OK"},
		{"check_cert -H localhost -p " + port + " -w 200 -c 14", 1, "WARNING"},
		{"check_log -F /files/log/error.log -q \\[error\\]", 2, "missing"},
		{"check_log -F /files/log/error.log -q \\[error\\]", 0, "0 pattern matches"},
		{"check_log -F /files/log/access.log -q GET", 3, "not granted"},
		{"check_http -H www.example.com -S", 3, "not granted"},
	} {
		name, args := words(step.ask)
		output, status := run(t, nil, agent, append([]string{"--config", config, "run", "web-checks", name}, args...)...)
		if status != step.status || !strings.Contains(output, step.says) {
			t.Errorf("%s: status %d, want %d\n%s, want %q", step.ask, status, step.status, output, step.says)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "audit.log")); err != nil || !strings.Contains(string(text), `"path":"/dev/tls/www.example.com/443"`) {
		t.Errorf("the audit log is %s, %v", text, err)
	}
}

// configFor is web-server.toml for a server on this machine.
func configFor(t *testing.T, ca, logs, port, dir string) []byte {
	t.Helper()
	text, err := os.ReadFile("web-server.toml")
	if err != nil {
		t.Fatal(err)
	}
	module, err := filepath.Abs("web-checks")
	if err != nil {
		t.Fatal(err)
	}
	head := fmt.Sprintf("ca = %q\n[audit]\npath = %q\n[directories]\nstate = %q\n[limits]\ntime = \"1m\"\n", ca, filepath.Join(dir, "audit.log"), filepath.Join(dir, "state"))
	return []byte(head + strings.NewReplacer(
		`"/var/log/nginx"`, strconv.Quote(logs),
		"www.example.com/443", "localhost/"+port,
		`"web-checks"`, strconv.Quote(module),
	).Replace(string(text)))
}
