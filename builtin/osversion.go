package builtin

import (
	"cmp"
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/facts"
	"github.com/wasmagent/wasmagent/internal/lazyregexp"
)

func (s *System) checkOSVersion() *command {
	return &command{
		name:    "check_os_version",
		summary: "the operating system and its version",
		options: thresholds(plain, "none", "none"),
		about: []string{
			"The value is the version's first two numbers read as one, so 22.04 for Ubuntu 22.04.3 and 10 for Windows\n" +
				"10; of the kernel where the system has no version of its own. crit=12: is critical below version 12.",
			"Performance data: version with the thresholds.",
		},
		example: []string{"warn=12:"},
		run:     s.runOSVersion,
	}
}

func (s *System) runOSVersion(ctx context.Context, args arguments) (check.Result, error) {
	system, err := s.machine.os(ctx)
	if err != nil {
		return check.Result{}, err
	}
	words := describeOS(system)
	r := newReport()
	r.checked(words, check.Perf{Label: "version", Value: versionNumber(cmp.Or(system.Version, system.KernelVersion))}, args)
	return r.result(words), nil
}

func describeOS(system facts.OS) string {
	name := strings.TrimSpace(cmp.Or(system.Platform, system.Name) + " " + system.Version)
	var notes []string
	if system.KernelVersion != "" {
		notes = append(notes, "kernel "+system.KernelVersion)
	}
	if system.Architecture != "" {
		notes = append(notes, system.Architecture)
	}
	if len(notes) == 0 {
		return name
	}
	return name + " (" + strings.Join(notes, ", ") + ")"
}

var versionStart = lazyregexp.New(`[0-9]+(\.[0-9]+)?`)

// versionNumber is the first two numbers of a version, or NaN.
func versionNumber(version string) float64 {
	n, err := strconv.ParseFloat(versionStart().FindString(version), 64)
	if err != nil {
		return math.NaN()
	}
	return n
}
