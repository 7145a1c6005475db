//go:build linux

package worker

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Memory is what the worker and its children have, in bytes: their own, their share of
// what they have in common with others, and the memory that is a file without a name,
// also where nothing of it is mapped.
func (w *Worker) Memory() (bytes int, err error) {
	pids, err := family(w.process.Process.Pid)
	for _, pid := range pids {
		var own int
		if own, err = memoryOf(pid); err != nil {
			return 0, err
		}
		bytes += own
	}
	return bytes, err
}

// family is a process with all that come from it.
func family(pid int) ([]int, error) {
	list := []int{pid}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		for _, word := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(word)
			if err != nil {
				return nil, err
			}
			below, err := family(child)
			if err != nil {
				return nil, err
			}
			list = append(list, below...)
		}
	}
	return list, err
}

// memoryOf reads /proc/PID/smaps_rollup, and the files without a name that the process
// has open. https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html
func memoryOf(pid int) (bytes int, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		switch name, rest, _ := strings.Cut(line, ":"); name {
		case "Pss_Anon", "Pss_File":
			kibibytes := 0
			if _, err := fmt.Sscan(rest, &kibibytes); err != nil {
				return 0, err
			}
			bytes += kibibytes << 10
		}
	}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, file := range files {
		var stat unix.Stat_t
		if name, _ := os.Readlink(file); strings.HasPrefix(name, "/memfd:") && unix.Stat(file, &stat) == nil {
			bytes += int(stat.Blocks) * 512
		}
	}
	return bytes, err
}
