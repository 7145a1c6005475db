// check_filesystems compares the space in use with two thresholds, on every
// file system or on those named by their mount point.
//
//	check_filesystems [-w PERCENT] [-c PERCENT] [MOUNT_POINT...]
//
// It needs the permission "/host/filesystems".
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	_ "github.com/wasmagent/wasmagent/guest/reactor" // each run begins after the initialisation
)

// filesystem is what this check reads of an entry of /host/filesystems.
type filesystem struct {
	MountPoint string `json:"mount_point"`
	ReadOnly   bool   `json:"read_only"`
	Error      string `json:"error"`
	Usage      *struct {
		TotalBytes     uint64  `json:"total_bytes"`
		UsedBytes      uint64  `json:"used_bytes"`
		AvailableBytes uint64  `json:"available_bytes"`
		UsedRatio      float64 `json:"used_ratio"`
	} `json:"usage"`
}

func main() {
	flags := flag.NewFlagSet("check_filesystems", flag.ContinueOnError)
	flags.SetOutput(os.Stdout)
	warn := flags.Float64("w", 80, "WARNING when more `percent` are in use")
	crit := flags.Float64("c", 90, "CRITICAL when more `percent` are in use")
	if flags.Parse(os.Args[1:]) != nil {
		os.Exit(3)
	}
	status, output := check(flags.Args(), *warn, *crit)
	fmt.Println("FILESYSTEMS " + output)
	os.Exit(status)
}

func check(mounts []string, warn, crit float64) (status int, output string) {
	all, err := read("/host/filesystems")
	if err != nil {
		return 3, "UNKNOWN: " + err.Error()
	}
	selected, err := choose(all, mounts)
	if err != nil {
		return 3, "UNKNOWN: " + err.Error()
	}
	var problems, perf []string
	for _, f := range selected {
		used := 100 * f.Usage.UsedRatio
		if l := level(used, warn, crit); l > 0 {
			status = max(status, l)
			problems = append(problems, fmt.Sprintf("%s is %.0f%% full", f.MountPoint, used))
		}
		size := float64(f.Usage.UsedBytes + f.Usage.AvailableBytes)
		perf = append(perf, fmt.Sprintf("'%s'=%dB;%.0f;%.0f;0;%.0f", strings.ReplaceAll(f.MountPoint, "'", "''"),
			f.Usage.UsedBytes, size*warn/100, size*crit/100, size))
	}
	text := fmt.Sprintf("none of %d is more than %g%% full", len(selected), warn)
	if len(problems) > 0 {
		text = strings.Join(problems, ", ")
	}
	return status, [...]string{"OK", "WARNING", "CRITICAL"}[status] + ": " + text + "|" + strings.Join(perf, " ")
}

// choose returns the file systems to look at: those that were named, else all
// that can be written. It is an error when one that was named is not there, or
// does not answer.
func choose(all []filesystem, mounts []string) (selected []filesystem, err error) {
	for _, mount := range mounts {
		if !slices.ContainsFunc(all, func(f filesystem) bool { return f.MountPoint == mount }) {
			return nil, fmt.Errorf("no file system is mounted at %s", mount)
		}
	}
	for _, f := range all {
		named := slices.Contains(mounts, f.MountPoint)
		switch {
		case len(mounts) > 0 && !named, len(mounts) == 0 && f.ReadOnly:
		case f.Usage == nil:
			return nil, fmt.Errorf("%s: %s", f.MountPoint, f.Error)
		default:
			selected = append(selected, f)
		}
	}
	if len(selected) == 0 {
		return nil, fmt.Errorf("no file system of this machine can be written")
	}
	return selected, nil
}

func read(file string) ([]filesystem, error) {
	var document struct {
		Filesystems []filesystem `json:"filesystems"`
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(data, &document)
	return document.Filesystems, err
}

func level(value, warn, crit float64) int {
	switch {
	case value > crit:
		return 2
	case value > warn:
		return 1
	}
	return 0
}
