// Package promtest has tests ask a real Prometheus server.
package promtest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/internal/needs"
)

// listening is what a server logs with its address.
var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

// Address is the URL of a server that has logged that it listens; empty if it has
// not.
func Address(log string) string {
	if found := listening.FindStringSubmatch(log); found != nil {
		return "http://" + found[1]
	}
	return ""
}

// Start starts a server in a directory, with a configuration whose relative paths
// begin there, and returns its URL once it listens. It ends with the test.
func Start(t *testing.T, dir, configuration string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), needs.Program(t, "prometheus"), "--config.file="+configuration,
		"--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address=127.0.0.1:0")
	c.Dir = dir
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 10 * time.Second
	out, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if found := Address(lines.Text()); found != "" {
				address <- found
			}
		}
	}()
	t.Cleanup(func() { c.Cancel(); <-ended; c.Wait() })
	select {
	case a := <-address:
		return a
	case <-ended:
		t.Fatal("prometheus ended at once")
	case <-t.Context().Done():
		t.Fatal("prometheus does not listen")
	}
	return ""
}

// Query asks a server for the value of an expression of one series.
func Query(ctx context.Context, server, expression string) (value string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/api/v1/query?query="+url.QueryEscape(expression), nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct{ Result []struct{ Value [2]any } }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", err
	}
	if answer.Status != "success" || len(answer.Data.Result) != 1 {
		return "", fmt.Errorf("%d series, status %s %s", len(answer.Data.Result), answer.Status, answer.Error)
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1]), nil
}

// Want asks until the value is there, or the test ends.
func Want(t *testing.T, server, expression, want string) {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		got, err := Query(t.Context(), server, expression)
		if err == nil && got == want {
			return
		}
		select {
		case <-again.C:
		case <-t.Context().Done():
			t.Fatalf("%s is %s (%v), want %s", expression, got, err, want)
		}
	}
}
