package main

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch/registrytest"
	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/trust"
)

// serveDir serves a directory over http until the script ends, at $WEB; or over
// https, with a certificate of the authority that is written to CA: web DIR [CA].
func serveDir(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: web DIR [CA]")
	}
	server := httptest.NewUnstartedServer(http.FileServer(http.Dir(ts.MkAbs(args[0]))))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if len(args) == 1 {
		server.Start()
	} else {
		server.StartTLS()
		authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), authority, 0o600))
	}
	ts.Defer(server.Close)
	ts.Setenv("WEB", server.URL)
}

// startRegistry starts an OCI registry until the script ends, at $REGISTRY:
// registry [HTPASSWD].
func startRegistry(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: registry [HTPASSWD]")
	}
	dir, err := os.MkdirTemp(ts.MkAbs("."), ".registry-")
	ts.Check(err)
	users := ""
	if len(args) == 1 {
		users = ts.MkAbs(args[0])
	}
	address, stop, err := registrytest.Start(dir, users)
	ts.Check(err)
	ts.Defer(stop)
	ts.Setenv("REGISTRY", address)
}

// hasRegistry tells whether there is a registry to start, which is taken for
// granted where all tools must be there.
func hasRegistry() bool {
	_, err := exec.LookPath(registrytest.Program)
	return err == nil || needs.Everything()
}

// logIn writes the credentials of a registry as docker login does: login USER
// PASSWORD.
func logIn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: login USER PASSWORD")
	}
	dir := ts.Getenv("DOCKER_CONFIG")
	ts.Check(os.MkdirAll(dir, 0o700))
	auth := base64.StdEncoding.EncodeToString([]byte(args[0] + ":" + args[1]))
	text := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, ts.Getenv("REGISTRY"), auth)
	ts.Check(os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600))
}

// countFiles wants a number of files by a pattern of their names: holds PATTERN
// COUNT.
func countFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: holds PATTERN COUNT")
	}
	if found := glob(ts, args[0]); strconv.Itoa(len(found)) != args[1] {
		ts.Fatalf("%s: there are %d: %v", args[0], len(found), found)
	}
}

// damage writes other bytes into files: damage PATTERN.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage PATTERN")
	}
	for _, file := range glob(ts, args[0]) {
		ts.Check(os.WriteFile(file, []byte("damaged"), 0o600))
	}
}

// glob lists the files of a pattern but those that begin with a dot.
func glob(ts *testscript.TestScript, pattern string) []string {
	found, err := filepath.Glob(ts.MkAbs(pattern))
	ts.Check(err)
	var list []string
	for _, file := range found {
		if !strings.HasPrefix(filepath.Base(file), ".") {
			list = append(list, file)
		}
	}
	return list
}

// readInto sets a variable to what a file says, or to its digest: read VARIABLE
// FILE, digest VARIABLE FILE.
func readInto(of func(text string) string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 2 {
			ts.Fatalf("usage: read VARIABLE FILE, or digest VARIABLE FILE")
		}
		ts.Setenv(args[0], of(ts.ReadFile(args[1])))
	}
}

func digestOf(text string) string { return string(trust.DigestOf([]byte(text))) }

// makeNoise writes bytes that cannot be compressed: noise FILE KIB.
func makeNoise(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: noise FILE KIB")
	}
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	data := make([]byte, size<<10)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o600))
}
