//go:build linux

package report

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	goruntime "runtime"
	"strconv"
	"strings"
)

// Machine says on which machine a section was measured.
func Machine() string {
	return strings.Join([]string{
		fmt.Sprintf("%d processors (%s)", goruntime.NumCPU(), found("/proc/cpuinfo", `model name\s*: (.*)`)),
		total(),
		"Linux " + found("/proc/sys/kernel/osrelease", `^([0-9.]+)`),
		found("/etc/os-release", `PRETTY_NAME="?([^"\n]*)`),
		fmt.Sprintf("%s %s/%s", goruntime.Version(), goruntime.GOOS, goruntime.GOARCH),
		"load " + found("/proc/loadavg", `(\S+)`) + " at the start",
	}, ", ")
}

// Commit is the version of the project in a directory; a released source has none.
func Commit(ctx context.Context, source string) string {
	commit, _ := exec.CommandContext(ctx, "git", "-C", source, "describe", "--always", "--dirty").Output()
	return strings.TrimSpace(string(commit))
}

// total is the memory of the machine.
func total() string {
	kibibytes, _ := strconv.ParseFloat(found("/proc/meminfo", `MemTotal:\s*(\d+) kB`), 64)
	return fmt.Sprintf("%.0f GiB of memory", kibibytes/(1<<20))
}

// found is the first match in a file, or nothing.
func found(file, pattern string) string {
	text, _ := os.ReadFile(file)
	return First(string(text), pattern)
}

// First is what the first parentheses of a pattern match in a text, or "unknown".
func First(text, pattern string) string {
	if m := regexp.MustCompile(pattern).FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return "unknown"
}
