//go:build linux

package checks

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/wasmagent/wasmagent/bench/internal/worker"
)

// openProcess runs a check as a process of its own, as other agents do.
func openProcess(_ context.Context, j worker.Job, _ [][]byte) (worker.Asker, error) {
	return func(ctx context.Context, _ int, hold bool) error {
		argv := j.Argv
		var input io.Reader
		switch {
		case hold && j.Held != "":
			argv, input = append(argv[:len(argv)-1:len(argv)-1], j.Held), endless()
		case hold:
			argv = append(argv[:len(argv):len(argv)], "stay")
		}
		command := exec.CommandContext(ctx, argv[0], argv[1:]...)
		command.Stdin = input
		out, err := command.Output()
		if err != nil {
			return fmt.Errorf("%q: %w", argv, err)
		}
		return j.IsWell(0, string(out))
	}, nil
}

// endless is an input that says nothing for some time, and then ends.
func endless() io.Reader {
	r, w := io.Pipe()
	time.AfterFunc(held, func() { w.Close() })
	return r
}
