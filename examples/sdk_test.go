package examples_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/guest"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
)

// documents are the examples of docs/host.md, which have every member.
func documents(t *testing.T) map[string]runtime.Document {
	t.Helper()
	guide, err := os.ReadFile("../docs/host.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]runtime.Document{}
	for _, m := range regexp.MustCompile("(?s)\n## (\\w+)\r?\n.*?```json\r?\n(.*?)```").FindAllSubmatch(guide, -1) {
		found[string(m[1])] = document(m[2])
	}
	return found
}

func document(text []byte) runtime.Document {
	return func(context.Context) ([]byte, error) { return text, nil }
}

// echoUDP returns every datagram.
func echoUDP(t *testing.T) (address string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		data := make([]byte, 100)
		for {
			n, from, err := conn.ReadFrom(data)
			if err != nil {
				return
			}
			conn.WriteTo(bytes.ToUpper(data[:n]), from)
		}
	}()
	return conn.LocalAddr().String()
}

const sdkManifest = `{"name": "SDK", "scripts": ["scripts/*.wasm"], "permissions": ["/host/*", "/env/*", "/command/*", "/dev/**"]}`

// TestSDK uses each part of package guest inside the agent, with and without its
// grant.
func TestSDK(t *testing.T) {
	t.Parallel()
	if testing.Short() || raceEnabled {
		t.Skip("compiles a large program")
	}
	ca := newAuthority(t)
	web := "127.0.0.1:" + serve(t, nil)
	secured := ca.sign(t, "localhost", -day, 100*day)
	tls := "localhost:" + serve(t, &secured)
	grant := granted(t, ca, "/host/*", "/env/TOKEN", "/command/own", "/dev/tcp/127.0.0.1/*", "/dev/tls/localhost/**", "/dev/udp/127.0.0.1/*")
	grant.Env = map[string]runtime.Document{"TOKEN": document([]byte("a token")), "OTHER": document([]byte("x"))}
	a := newAgent(t, grant, providers.Config{Facts: documents(t)})
	dir := filepath.Join(t.TempDir(), "sdk")
	compile(t, "./testdata/sdk", filepath.Join(dir, "scripts", "check_sdk.wasm"), "GOOS=wasip1", "GOARCH=wasm")
	load(t, a, dir, []byte(sdkManifest))
	for _, row := range []struct {
		words  string
		status int
		says   string
	}{
		{"facts", 0, "SDK OK: all facts"},
		{"env TOKEN", 0, "SDK OK: a token"},
		{"env OTHER", 3, "/env/OTHER: not granted, or not there"},
		{"command check_sdk env,TOKEN", 0, "SDK OK: SDK OK: a token"},
		{"command check_sdk nothing", 0, "SDK OK: SDK OK:"},
		{"command check_sdk env,OTHER", 3, "SDK UNKNOWN: SDK UNKNOWN: /env/OTHER"},
		{"command check_nothing x", 3, "/command/check_nothing: not granted, or not there"},
		{"udp " + echoUDP(t) + " hello", 0, "SDK OK: HELLO"},
		{"udp 127.0.0.2:7 hello", 3, "/dev/udp/127.0.0.2/7: not granted, or not there"},
		{"get http://" + web + "/home", 0, "SDK OK: 200 OK hello world"},
		{"get https://" + tls + "/", 0, "SDK OK: 200 OK hello world"},
		{"get http://127.0.0.2/", 3, "/dev/tcp/127.0.0.2/80: not granted, or not there"},
		{"panic oh", 3, "SDK UNKNOWN: panic: oh"},
		{"goroutine oh", 3, "crashed: panic: oh"},
	} {
		r, err := a.Run(t.Context(), check.Request{Command: "check_sdk", Args: strings.Fields(row.words)})
		if err != nil {
			r = check.Unknown(err)
		}
		if !strings.HasPrefix(check.Encode(r), row.says) && !strings.Contains(r.Text, row.says) || r.State.ExitStatus() != row.status {
			t.Errorf("%s: %s, %s, want %d, %q", row.words, r.State, check.Encode(r), row.status, row.says)
		}
	}
	samePeer(t, a, tls)
}

// samePeer wants the agent's document about a server to have what Peer has, member
// by member, and the SDK on this machine to see the same server.
func samePeer(t *testing.T, a check.Runner, address string) {
	t.Helper()
	r, err := a.Run(t.Context(), check.Request{Command: "check_sdk", Args: []string{"peer", address}})
	var inside guest.Peer
	if err == nil {
		err = json.Unmarshal([]byte(strings.TrimPrefix(r.Text, "SDK OK: ")), &inside)
	}
	if err != nil {
		t.Fatalf("%v, %s", err, r.Text)
	}
	outside, err := guest.PeerOf(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	if !inside.Verified || outside.Verified {
		t.Errorf("verified %v (%s) by the agent, which knows the authority, %v without", inside.Verified, inside.VerificationError, outside.Verified)
	}
	inside.Verified, outside.VerificationError = false, ""
	one, _ := json.Marshal(inside)
	other, _ := json.Marshal(outside)
	if !bytes.Equal(one, other) {
		t.Errorf("the agent's document\n%s\nwant\n%s", one, other)
	}
}
