package confine

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A sessions is the set of sessions in which commands run.
//
// A process that leaves its session (setsid) escapes the signal to its group.
// But once its parent has ended, this process is its parent: a child of this
// process in a session that is neither its own nor one of the set has been left
// behind. Children that do not run under no_new_privs are none of a Cage's.
type sessions struct {
	mu      sync.Mutex
	leaders map[int]bool // by process number, which is that of the session
	orphans error        // why orphans do not become children of this process

	ending sync.Mutex // held while children are waited for, whose numbers are then taken
}

// adopt makes this process the parent of orphans, where the kernel can.
func (s *sessions) adopt() {
	s.leaders = make(map[int]bool)
	s.orphans = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}

// missing says for people what cannot be ended.
func (s *sessions) missing() []string {
	if s.orphans == nil {
		return nil
	}
	return []string{fmt.Sprintf("processes that leave their session, which stay when the script has ended: the kernel says %v", s.orphans)}
}

// lead starts a command as the leader of a session.
func (s *sessions) lead(command *exec.Cmd) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := command.Start(); err != nil {
		return err
	}
	s.leaders[command.Process.Pid] = true
	return nil
}

// generations is how often end looks for the children of those that it ended. A
// process that multiplies faster is left to the next end.
const generations = 100

// end ends what is left of a session whose leader has ended.
func (s *sessions) end(leader int) {
	s.mu.Lock()
	delete(s.leaders, leader)
	s.mu.Unlock()

	s.ending.Lock()
	defer s.ending.Unlock()
	for range generations {
		strays := s.strays()
		if len(strays) == 0 {
			return
		}
		for _, pid := range strays {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		for _, pid := range strays {
			await(pid)
		}
	}
}

// strays lists the children of this process that belong to no command.
func (s *sessions) strays() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	own, err := unix.Getsid(0)
	if err != nil {
		return nil
	}
	var list []int
	for _, pid := range children() {
		if session := sessionOf(pid); session > 0 && session != own && !s.leaders[session] && confined(pid) {
			list = append(list, pid)
		}
	}
	return list
}

// children lists the children of this process, which the kernel keeps by thread.
func children() []int {
	var list []int
	files, _ := filepath.Glob("/proc/self/task/*/children")
	for _, file := range files {
		text, _ := os.ReadFile(file) // which a thread that ends takes away
		for _, word := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil {
				list = append(list, pid)
			}
		}
	}
	return list
}

// sessionOf reads the session of a process; zero if there is none. Its place is
// the sixth in /proc/PID/stat, whose second is a name in parentheses.
func sessionOf(pid int) int {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 4 {
		return 0
	}
	session, _ := strconv.Atoi(string(fields[3]))
	return session
}

// confined tells whether a process runs under no_new_privs.
func confined(pid int) bool {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return bytes.Contains(status, []byte("\nNoNewPrivs:\t1\n"))
}

// patience is how many milliseconds a killed child is waited for. One in a
// system call that cannot be interrupted takes longer, and is left to the next
// end.
const patience = 1000

// await waits until a child has ended and takes note of that.
func await(pid int) {
	if fd, err := unix.PidfdOpen(pid, 0); err == nil {
		defer unix.Close(fd)
		for {
			if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, patience); err != unix.EINTR {
				break
			}
		}
	}
	_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
}
