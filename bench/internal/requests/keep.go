//go:build linux

package requests

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// KeepCommand is the argument with which this program is a keeper: it calls Keep with
// those that follow.
const KeepCommand = "keep"

// patience is how long a server has to end.
const patience = 10 * time.Second

// Keep runs one server until its own standard input ends. nrpe abandons the process of
// each request, so that its own times lack them. A keeper adopts them, and has their
// times once they have ended. It prints the server's process and when that was started.
func Keep(argv []string) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("adopt processes: %w", err)
	}
	began := time.Now()
	server, err := os.StartProcess(argv[0], argv, &os.ProcAttr{Files: []*os.File{nil, os.Stderr, os.Stderr}})
	if err != nil {
		return err
	}
	fmt.Println(server.Pid, began.UnixNano())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		server.Signal(syscall.SIGTERM)
		time.Sleep(patience)
		server.Kill()
	}()
	for {
		_, err := unix.Wait4(-1, nil, 0, nil)
		if errors.Is(err, unix.ECHILD) {
			return nil
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
