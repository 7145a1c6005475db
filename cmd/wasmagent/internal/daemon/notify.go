// Package daemon is what the agent owes to the service manager that starts it: it
// tells how it stands, runs as a service of Windows, gives up the rights of root,
// and is installed and removed.
//
// Guarantees: a service manager that cannot be told is logged and never waited
// for. A watchdog is fed only when requests are answered. A process that has given
// up the rights of root keeps nothing that it had with them but its standard
// descriptors.
//
// A Supervisor may be used from several goroutines; the rest is for main.
package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// A Supervisor is the service manager that waits for word from this process, in
// systemd's protocol. The zero Supervisor is none: nobody is told anything.
// https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
type Supervisor struct {
	socket   string
	watchdog time.Duration // how long it waits between two signs of life; zero is for ever
	log      *slog.Logger
}

// Find returns the Supervisor that the environment names.
func Find(getenv func(string) string, log *slog.Logger) Supervisor {
	s := Supervisor{socket: getenv("NOTIFY_SOCKET"), log: log}
	pid := getenv("WATCHDOG_PID")
	if pid == "" || pid == strconv.Itoa(os.Getpid()) {
		usec, _ := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
		s.watchdog = time.Duration(max(0, usec)) * time.Microsecond
	}
	return s
}

// Ready says that the agent serves, at first or again, and how, in one line.
func (s Supervisor) Ready(status string) { s.send("READY=1", statusLine(status)) }

// Reloading says that the agent takes a new configuration, until it is Ready.
func (s Supervisor) Reloading() {
	s.send("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", monotonic().Microseconds()), statusLine("reloading"))
}

// Stopping says that the agent ends.
func (s Supervisor) Stopping() { s.send("STOPPING=1", statusLine("stopping")) }

// Watch gives signs of life until ctx ends: each after answers has returned, so
// that there are none from a process that runs and answers nobody. answers is
// called twice in each time that the supervisor waits, and not before it is back.
func (s Supervisor) Watch(ctx context.Context, answers func()) {
	if s.watchdog == 0 || s.socket == "" {
		return
	}
	ticks := time.NewTicker(max(1, s.watchdog/2))
	defer ticks.Stop()
	for ctx.Err() == nil {
		answers()
		s.send("WATCHDOG=1")
		select {
		case <-ctx.Done():
		case <-ticks.C:
		}
	}
}

// statusLine is how the agent stands, for people.
func statusLine(text string) string {
	return "STATUS=" + strings.ReplaceAll(text, "\n", " ")
}

// send sends one message of several lines.
func (s Supervisor) send(lines ...string) {
	if s.socket == "" {
		return
	}
	if err := s.transmit(strings.Join(lines, "\n")); err != nil {
		s.log.Warn("the service manager is not told", "message", lines[0], "error", err)
	}
}

// patience is how long a full socket of the supervisor is waited for.
const patience = time.Second

func (s Supervisor) transmit(message string) error {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err = conn.Write([]byte(message))
	return err
}
