package facts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// outputLimit is the most that a tool of the system may print.
const outputLimit = 8 << 20

// output is what a tool of the system prints, in English.
func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = time.Second
	var stdout, stderr capped
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), errors.Join(err, stderr.complaint()))
	}
	return stdout.text.String(), nil
}

// capped keeps what is written to it, up to outputLimit.
type capped struct{ text strings.Builder }

func (c *capped) Write(p []byte) (int, error) {
	if c.text.Len()+len(p) > outputLimit {
		return 0, fmt.Errorf("printed more than %d bytes", outputLimit)
	}
	return c.text.Write(p)
}

// complaint is the first line as an error; nil if there is none.
func (c *capped) complaint() error {
	line, _, _ := strings.Cut(strings.TrimSpace(c.text.String()), "\n")
	if line == "" {
		return nil
	}
	return errors.New(line)
}
