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
		return fmt.Errorf("%q: %w\n%s", command.Args, err, said)
	}
	f.metered = meterings(said)
	return nil
}

// meterings reads what the benchmark says.
func meterings(said []byte) (list []metered) {
	const name = "BenchmarkMetering/"
	for lines := bufio.NewScanner(bytes.NewReader(said)); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 2 || !strings.HasPrefix(words[0], name) {
			continue
		}
		check, _, _ := strings.Cut(strings.TrimPrefix(words[0], name), "-")
		m := metered{check: check}
		for i := 2; i+1 < len(words); i += 2 {
			micros, _ := strconv.ParseFloat(words[i], 64)
			switch d := time.Duration(micros * float64(time.Microsecond)); words[i+1] {
			case "metered-median-µs":
				m.with = d
			case "plain-median-µs":
				m.without = d
			}
		}
		list = append(list, m)
	}
	return list
}
