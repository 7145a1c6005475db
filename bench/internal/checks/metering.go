//go:build linux

package checks

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A metered is what an example check takes as it is run, and without its meter.
type metered struct {
	check         string
	with, without time.Duration
}

// meter runs the benchmark that runs the same programs with a meter and without, in
// turn.
func (f *findings) meter(ctx context.Context, l *lab) error {
	l.say("metering the example checks")
	command := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "Metering/check_", "-benchtime", l.metering.String(), "./runtime/internal/prepare")
	command.Dir = l.source
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	said, err := command.CombinedOutput()
	if err != nil {
		f.unmetered = fmt.Errorf("%w: %.200s", err, said)
	}
	f.metered = meterings(said)
	return context.Cause(ctx)
}

// meterings reads what the benchmark says, in pairs of a number and its unit.
func meterings(said []byte) (list []metered) {
	for lines := bufio.NewScanner(bytes.NewReader(said)); lines.Scan(); {
		name, figures, found := strings.Cut(strings.TrimPrefix(lines.Text(), "BenchmarkMetering/"), "-")
		if !found || name == lines.Text() || !strings.HasPrefix(name, "check_") {
			continue
		}
		m, words := metered{check: name}, strings.Fields(figures)
		for i := 2; i+1 < len(words); i += 2 {
			micros, _ := strconv.ParseFloat(words[i], 64)
			switch d := time.Duration(micros * float64(time.Microsecond)); words[i+1] {
			case "metered-µs":
				m.with = d
			case "plain-µs":
				m.without = d
			}
		}
		list = append(list, m)
	}
	return list
}
