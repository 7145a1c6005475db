package toolchain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// maxMessages is how many bytes of a compiler's messages are shown: the first
// ones, for later mistakes often follow from the first.
const maxMessages = 8 << 10

// A command is a compiler with its arguments.
type command struct {
	dir  string   // where it runs
	env  []string // beside the user's
	args []string // the executable first
}

// run runs the command and returns its standard output. The error is what it
// printed on standard error.
func (c command) run(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), c.env...)
	cmd.WaitDelay = 5 * time.Second
	endTogether(cmd)
	var stdout strings.Builder
	var stderr head
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	switch exit := (*exec.ExitError)(nil); {
	case ctx.Err() != nil:
		killRest(cmd)
		return "", context.Cause(ctx)
	case errors.As(err, &exit):
		return "", fmt.Errorf("%s: %w\n%s", filepath.Base(c.args[0]), err, stderr.String())
	}
	return stdout.String(), err
}

// tempIn makes a directory the one for temporary files, so that what a compiler
// leaves there goes with it.
func tempIn(dir string) []string { return []string{"TMPDIR=" + dir, "TMP=" + dir, "TEMP=" + dir} }

// A head is a writer that keeps the first maxMessages bytes.
type head struct {
	text []byte
	more int // bytes that were not kept
}

func (h *head) Write(p []byte) (int, error) {
	n := min(len(p), maxMessages-len(h.text))
	h.text = append(h.text, p[:n]...)
	h.more += len(p) - n
	return len(p), nil
}

// String is the text kept, with a line about the rest.
func (h *head) String() string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(h.text), "?"))
	if h.more > 0 {
		text += fmt.Sprintf("\n(%d more bytes of messages)", h.more)
	}
	return text
}

// installed lists the executables of these names in PATH, all of them, in
// PATH's order.
func installed(names []string) []string {
	var list []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		for _, name := range names {
			if file, err := exec.LookPath(filepath.Join(dir, name)); err == nil && filepath.IsAbs(file) {
				list = append(list, file)
			}
		}
	}
	return list
}
