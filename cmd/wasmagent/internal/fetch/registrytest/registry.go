// Package registrytest starts the real registry of the CNCF's distribution
// project for tests, which Debian has as docker-registry.
package registrytest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// Program is the name of the registry's program.
const Program = "docker-registry"

// listening finds the address in the registry's log.
var listening = regexp.MustCompile(`listening on (127\.0\.0\.1:[0-9]+)`)

// Start starts a registry on a free port of this machine, which keeps its files
// in dir, and returns its address. Where htpasswd is not empty, it is a file with
// the users that it lets in. stop ends it.
func Start(dir, htpasswd string) (address string, stop func(), err error) {
	config := fmt.Sprintf("version: 0.1\nstorage: {filesystem: {rootdirectory: %q}}\nhttp: {addr: '127.0.0.1:0'}\n", filepath.Join(dir, "blobs"))
	if htpasswd != "" {
		config += fmt.Sprintf("auth: {htpasswd: {realm: test, path: %q}}\n", htpasswd)
	}
	file := filepath.Join(dir, "registry.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return "", nil, err
	}
	cmd := exec.Command(Program, "serve", file)
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	log, err := cmd.StderrPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			go func() {
				for lines.Scan() { // so that the registry never waits for a reader
				}
			}()
			return found[1], stop, nil
		}
	}
	stop()
	return "", nil, fmt.Errorf("%s ended without listening", Program)
}
