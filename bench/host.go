//go:build linux

package main

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

// host finds out what is measured, on which machine.
func host(ctx context.Context, l *lab, r *report) error {
	r.machine = strings.Join([]string{
		fmt.Sprintf("%d processors (%s)", goruntime.NumCPU(), found("/proc/cpuinfo", `model name\s*: (.*)`)),
		total(),
		"Linux " + found("/proc/sys/kernel/osrelease", `(.*)`),
		found("/etc/os-release", `PRETTY_NAME="?([^"\n]*)`),
		fmt.Sprintf("%s %s/%s", goruntime.Version(), goruntime.GOOS, goruntime.GOARCH),
		"load " + found("/proc/loadavg", `(\S+)`) + " at the start",
	}, ", ")
	commit, _ := exec.CommandContext(ctx, "git", "-C", l.source, "describe", "--always", "--dirty").Output() // a released source has none
	version, _ := exec.CommandContext(ctx, l.nrpe, "--version").Output()                                     // its exit status is 3
	r.versions = fmt.Sprintf("wasmagent %s, Debian's nrpe %s",
		strings.TrimSpace(string(commit)), first(string(version), `Version: (\S+)`))
	return nil
}

// total is the memory of the machine.
func total() string {
	kibibytes, _ := strconv.ParseFloat(found("/proc/meminfo", `MemTotal:\s*(\d+) kB`), 64)
	return fmt.Sprintf("%.0f GiB of memory", kibibytes/(1<<20))
}

// found is the first match in a file, or nothing.
func found(file, pattern string) string {
	text, _ := os.ReadFile(file)
	return first(string(text), pattern)
}

// first is what the first parentheses of a pattern match in a text, or "unknown".
func first(text, pattern string) string {
	if m := regexp.MustCompile(pattern).FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return "unknown"
}
