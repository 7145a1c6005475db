package wasmagent_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"maps"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/audit"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/facts"
	"github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// everything is every path that a script can reach here, as permissions and as
// grants.
var everything = []string{"/host/*", "/env/*", "/files/**", "/state/**", "/command/*", "/dev/*/127.0.0.1/*"}

// A host is what scripts reach in these benchmarks.
type host struct {
	agent     *agent.Agent
	machine   *facts.Source
	root      *os.Root // of the directory that native code works in
	echo, tls string   // HOST:PORT of servers that send back what they get
	trusted   *x509.CertPool
	open      net.Conn // to echo
}

// reaches are what a script can do with the host, in the words of the guest
// testdata/reach.c, and the same in native code.
var reaches = []struct {
	name   string
	do     string
	path   func(*host) string
	native map[string]func(*host) error
}{
	{name: "constant fact", do: "read", path: at("/host/constant")},
	{"memory fact", "read", at("/host/memory"), natively(func(h *host) error {
		_, err := h.machine.Document(context.Background(), "memory")
		return err
	})},
	{name: "env", do: "read", path: at("/env/TOKEN")},
	{"file of 1 KiB", "read", at("/files/bench/small"), reading("small")},
	{"file of 1 MiB", "read", at("/files/bench/large"), reading("large")},
	{"state written anew", "save", at("/state/x"), map[string]func(*host) error{
		"os": func(h *host) error {
			file := filepath.Join(h.root.Name(), "x")
			if err := os.WriteFile(file+".new", make([]byte, 1024), 0o600); err != nil {
				return err
			}
			return os.Rename(file+".new", file)
		},
		"os.Root": func(h *host) error {
			if err := h.root.WriteFile("x.new", make([]byte, 1024), 0o600); err != nil {
				return err
			}
			return h.root.Rename("x.new", "x")
		},
	}},
	{"state overwritten", "put", at("/state/x"), map[string]func(*host) error{
		"os": func(h *host) error {
			return os.WriteFile(filepath.Join(h.root.Name(), "x"), make([]byte, 1024), 0o600)
		},
		"os.Root": func(h *host) error { return h.root.WriteFile("x", make([]byte, 1024), 0o600) },
	}},
	{"tcp connection", "ask", connection("tcp"), natively(func(h *host) error {
		conn, err := net.Dial("tcp", h.echo)
		if err != nil {
			return err
		}
		defer conn.Close()
		return exchange(conn)
	})},
	{"tcp exchange", "talk", connection("tcp"), natively(func(h *host) error { return exchange(h.open) })},
	{name: "poll", do: "wait", path: connection("tcp")},
	{"tls handshake", "open", connection("tls"), natively(func(h *host) error {
		conn, err := tls.Dial("tcp", h.tls, &tls.Config{RootCAs: h.trusted})
		if err != nil {
			return err
		}
		return conn.Close()
	})},
	{"command", "call", at("/command/nothing"), natively(func(h *host) error {
		_, err := h.agent.Run(context.Background(), check.Request{Command: "nothing", Origin: check.Check})
		return err
	})},
}

func at(path string) func(*host) string { return func(*host) string { return path } }

func connection(network string) func(*host) string {
	return func(h *host) string {
		where := map[string]string{"tcp": h.echo, "tls": h.tls}[network]
		return "/dev/" + network + "/" + strings.Replace(where, ":", "/", 1)
	}
}

func natively(do func(*host) error) map[string]func(*host) error {
	return map[string]func(*host) error{"native": do}
}

func reading(name string) map[string]func(*host) error {
	buf := make([]byte, 64<<10) // as the guest has
	return map[string]func(*host) error{
		"os": func(h *host) error {
			f, err := os.Open(filepath.Join(h.root.Name(), name))
			if err != nil {
				return err
			}
			defer f.Close()
			for err == nil {
				_, err = f.Read(buf)
			}
			if err != io.EOF {
				return err
			}
			return nil
		},
		"os.ReadFile": func(h *host) error {
			_, err := os.ReadFile(filepath.Join(h.root.Name(), name))
			return err
		},
	}
}

func exchange(conn net.Conn) error {
	buf := []byte{'x'}
	if _, err := conn.Write(buf); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, buf)
	return err
}

// BenchmarkReach is what a script does with the host: "each" is one of many times
// in one run, "once" a whole run that does it once, and the others are the same in
// native code.
func BenchmarkReach(b *testing.B) {
	h := newHost(b)
	for _, r := range reaches {
		name := strings.ReplaceAll(r.name, " ", "_")
		times := func(b *testing.B, n int) {
			result, err := h.agent.Run(b.Context(), check.Request{Command: "reach", Args: []string{r.do, strconv.Itoa(n), r.path(h)}})
			if err != nil || result.State != check.StateOK {
				b.Fatalf("%v %q, %v", result.State, result.Text, err)
			}
		}
		b.Run(name+"/each", func(b *testing.B) {
			b.ReportAllocs()
			times(b, b.N)
		})
		b.Run(name+"/once", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				times(b, 1)
			}
		})
		for _, way := range slices.Sorted(maps.Keys(r.native)) {
			b.Run(name+"/"+way, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := r.native[way](h); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// newHost makes a host with an agent whose command "reach" may reach all of it.
func newHost(b *testing.B) *host {
	b.Helper()
	wasm := built(b, nil, "clang", "--target=wasm32-wasi", "-O2", "-s", "testdata/reach.c", "-o")
	dir := b.TempDir()
	h := &host{machine: facts.New(), trusted: x509.NewCertPool(), root: openDir(b, dir)}
	h.serve(b)
	reach := providers.Config{
		Facts: map[string]runtime.Document{
			"constant": constant("{}"),
			"memory":   func(ctx context.Context) ([]byte, error) { return h.machine.Document(ctx, "memory") },
		},
		StateDir: b.TempDir(),
	}
	h.agent = newAgentWith(b, reach, agent.Config{Grants: func(string) agent.Settings {
		grant := allowed(b, everything)
		grant.Files = map[string]providers.Files{"bench": {Path: dir}}
		grant.Roots, grant.Limits.Time = h.trusted, time.Minute
		return agent.Settings{Grant: grant}
	}})
	h.agent.AddBuiltin("Nothing", func() agent.Builtin { return nothing{} })
	if err := h.agent.LoadBuiltin(b.Context(), "Nothing"); err != nil {
		b.Fatal(err)
	}
	if err := h.agent.Load(b.Context(), packed(b, "reach", wasm, everything...)); err != nil {
		b.Fatal(err)
	}
	return h
}

// openDir fills a directory with the files that are read, and opens it.
func openDir(b *testing.B, dir string) *os.Root {
	b.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { root.Close() })
	for name, size := range map[string]int{"small": 1 << 10, "large": 1 << 20} {
		if err := root.WriteFile(name, make([]byte, size), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return root
}

// allowed grants paths.
func allowed(b *testing.B, paths []string) providers.Grant {
	b.Helper()
	grants, err := policy.ParseGrants(paths)
	if err != nil {
		b.Fatal(err)
	}
	return providers.Grant{Allow: grants, Env: map[string]runtime.Document{"TOKEN": constant("secret")}}
}

func constant(text string) runtime.Document {
	return func(context.Context) ([]byte, error) { return []byte(text), nil }
}

// nothing is a builtin module with one command, which does nothing.
type nothing struct{}

func (nothing) Description() string { return "Does nothing" }
func (nothing) Close() error        { return nil }

func (nothing) Commands() map[string]check.Runner {
	return map[string]check.Runner{"nothing": check.RunnerFunc(func(context.Context, check.Request) (check.Result, error) {
		return check.Result{State: check.StateOK, Text: "done"}, nil
	})}
}

// serve starts the servers, which the end of the benchmark stops.
func (h *host) serve(b *testing.B) {
	b.Helper()
	secured := httptest.NewTLSServer(nil) // for its certificate
	secured.Close()
	h.trusted.AddCert(secured.Certificate())
	h.echo = echo(b, func(c net.Conn) net.Conn { return c })
	h.tls = echo(b, func(c net.Conn) net.Conn {
		return tls.Server(c, &tls.Config{Certificates: secured.TLS.Certificates})
	})
	var err error
	if h.open, err = net.Dial("tcp", h.echo); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { h.open.Close() })
}

// echo serves what a connection sends, back, until the client closes it. It leaves
// no connection behind that waits, of which there would soon be too many.
func echo(b *testing.B, wrap func(net.Conn) net.Conn) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			c.(*net.TCPConn).SetLinger(0)
			go func() {
				defer c.Close()
				buf := make([]byte, 1024)
				conn := wrap(c)
				for n, err := conn.Read(buf); err == nil; n, err = conn.Read(buf) {
					conn.Write(buf[:n])
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// BenchmarkGrants is the smallest check, which reaches nothing: without grants, with
// all of them, and with the audit log beside that.
func BenchmarkGrants(b *testing.B) {
	log := audit.New(audit.Config{File: filepath.Join(b.TempDir(), "audit.log")})
	audited := func(m *zipmod.Module, command string) (func(runtime.Attempt), func()) {
		run := log.Run(m.Name, m.Digest, command)
		return func(a runtime.Attempt) {
			if a.Refused {
				run.Refused(a.Path, a.Why)
			}
		}, run.Close
	}
	rows := []struct {
		name        string
		permissions []string
		reach       providers.Config
	}{
		{name: "none"},
		{"all", everything, providers.Config{StateDir: b.TempDir()}},
		{"all_audited", everything, providers.Config{StateDir: b.TempDir(), Observe: audited}},
	}
	for _, row := range rows {
		b.Run(row.name, func(b *testing.B) {
			grant := allowed(b, row.permissions)
			a := newAgentWith(b, row.reach, agent.Config{Grants: func(string) agent.Settings { return agent.Settings{Grant: grant} }})
			if err := a.Load(b.Context(), packed(b, "check_ok", wasmtest.Print("OK: all is well|time=1s;2;3\n", 0), row.permissions...)); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if r, err := a.Run(b.Context(), check.Request{Command: "check_ok"}); err != nil || r.State != check.StateOK {
					b.Fatalf("%v %q, %v", r.State, r.Text, err)
				}
			}
		})
	}
}
