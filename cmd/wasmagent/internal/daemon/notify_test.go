//go:build unix

package daemon_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/daemon"
)

// A manager is the end of a service manager.
type manager struct{ *net.UnixConn }

// listen opens a socket for messages, whose name is short enough for every system.
func listen(t *testing.T) (manager, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	name := filepath.Join(dir, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return manager{conn}, name
}

func (m manager) receive(t *testing.T) string {
	t.Helper()
	buffer := make([]byte, 4096)
	n, err := m.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	return string(buffer[:n])
}

// env is an environment.
func env(pairs ...string) func(string) string {
	return func(name string) string {
		for _, pair := range pairs {
			if key, value, _ := strings.Cut(pair, "="); key == name {
				return value
			}
		}
		return ""
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	m, socket := listen(t)
	s := daemon.Find(env("NOTIFY_SOCKET="+socket), slog.New(slog.DiscardHandler))
	s.Ready("2 modules\nREADY=0")
	if got := m.receive(t); got != "READY=1\nSTATUS=2 modules READY=0" {
		t.Errorf("ready: %q", got)
	}
	s.Reloading()
	if got := m.receive(t); !strings.HasPrefix(got, "RELOADING=1\nMONOTONIC_USEC=") {
		t.Errorf("reloading: %q", got)
	}
	s.Stopping()
	if got := m.receive(t); got != "STOPPING=1\nSTATUS=stopping" {
		t.Errorf("stopping: %q", got)
	}
}

// TestWatch lets signs of life come only after what has to answer has answered.
func TestWatch(t *testing.T) {
	t.Parallel()
	m, socket := listen(t)
	s := daemon.Find(env("NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=2", fmt.Sprintf("WATCHDOG_PID=%d", os.Getpid())), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	asked, answer, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		s.Watch(ctx, func() {
			asked <- struct{}{}
			<-answer
		})
	}()
	for range 3 {
		<-asked
		s.Ready("still silent")
		if got := m.receive(t); !strings.HasPrefix(got, "READY=1") {
			t.Errorf("a sign of life without an answer: %q", got)
		}
		answer <- struct{}{}
		if got := m.receive(t); got != "WATCHDOG=1" {
			t.Errorf("watchdog: %q", got)
		}
	}
	cancel()
	select {
	case <-asked: // the tick came first
		answer <- struct{}{}
		<-done
	case <-done:
	}
}

// TestNobodyToTell is a process that no service manager has started, or that is
// not the one whose signs of life it waits for.
func TestNobodyToTell(t *testing.T) {
	t.Parallel()
	_, socket := listen(t)
	for _, of := range [][]string{
		nil,
		{"WATCHDOG_USEC=1000"},
		{"NOTIFY_SOCKET=" + socket},
		{"NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=1000", "WATCHDOG_PID=1"},
		{"NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=-5"},
		{"NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=soon"},
	} {
		s := daemon.Find(env(of...), slog.New(slog.DiscardHandler))
		s.Ready("ready")
		s.Watch(t.Context(), func() { t.Errorf("%q: asked for a sign of life", of) })
	}
}

// TestDeafManager has nobody at the other end.
func TestDeafManager(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	s := daemon.Find(env("NOTIFY_SOCKET="+filepath.Join(t.TempDir(), "gone")), slog.New(slog.NewTextHandler(&log, nil)))
	s.Ready("ready")
	if !strings.Contains(log.String(), `msg="the service manager is not told" message="READY=1"`) {
		t.Errorf("the log is %q", log.String())
	}
}
