//go:build linux

package requests

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A process is a server that runs, with its keeper.
type process struct {
	keeper *exec.Cmd
	hold   io.Closer // the keeper ends the server when it is closed
	pid    int       // the server's
	log    string    // the file of what it says
	ended  chan struct{}

	began time.Time     // when it was started
	ready time.Duration // how long it took from there to its first answer
}

// launch starts a server that says what it says into a file.
func launch(log string, argv ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &process{keeper: exec.Command(self, append([]string{KeepCommand}, argv...)...), log: log, ended: make(chan struct{})}
	p.keeper.Stderr = out
	p.keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt of the terminal is for this process alone
	hold, err := p.keeper.StdinPipe()
	if err != nil {
		return nil, err
	}
	said, err := p.keeper.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.keeper.Start(); err != nil {
		return nil, err
	}
	p.hold = hold
	var began int64
	_, err = fmt.Fscanln(said, &p.pid, &began)
	go func() { p.keeper.Wait(); close(p.ended) }()
	if p.began = time.Unix(0, began); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %s", argv[0], p.said()), p.stop())
	}
	return p, nil
}

// stop ends the server and waits for it.
func (p *process) stop() error {
	p.hold.Close()
	select {
	case <-p.ended:
		return nil
	case <-time.After(2 * patience):
		return fmt.Errorf("process %d does not end", p.pid)
	}
}

// answers waits until a question is answered, for which a server has to be ready.
func (p *process) answers(ctx context.Context, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := ask()
		if err == nil {
			p.ready = time.Since(p.began)
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("the server ended: %s", p.said())
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w: %s", err, p.said())
		case <-time.After(time.Millisecond):
		}
	}
}

// said is the end of what the server said.
func (p *process) said() string {
	said, _ := os.ReadFile(p.log)
	return string(said[max(0, len(said)-2000):])
}

// tick is the unit of times in /proc/PID/stat, USER_HZ, which is the same everywhere.
const tick = 10 * time.Millisecond

// cpu is the time on processors that the server took, with all processes that it
// started and that have ended.
func (p *process) cpu() (time.Duration, error) {
	server, err := ticksOf(p.pid)
	if err != nil {
		return 0, err
	}
	keeper, err := ticksOf(p.keeper.Process.Pid)
	if err != nil {
		return 0, err
	}
	return tick * time.Duration(server.own+server.children+keeper.children), nil
}

// ticks are what a process took, and its children that it waited for.
type ticks struct{ own, children int }

// ticksOf reads /proc/PID/stat. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
func ticksOf(pid int) (t ticks, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return t, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // the name before may have spaces
	const utime = 14 - 3                                                      // counted from the third field
	if len(fields) < utime+4 {
		return t, fmt.Errorf("/proc/%d/stat has no times", pid)
	}
	for i, sum := range []*int{&t.own, &t.own, &t.children, &t.children} {
		n, err := strconv.Atoi(fields[utime+i])
		if err != nil {
			return t, err
		}
		*sum += n
	}
	return t, nil
}

// A memory is what a process has, in bytes. PSS counts its share of pages that it has in
// common with others.
type memory struct{ rss, pss int }

func (p *process) memory() (m memory, err error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", p.pid))
	if err != nil {
		return m, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		kibibytes := 0
		switch name, rest, _ := strings.Cut(lines.Text(), ":"); name {
		case "Rss":
			fmt.Sscan(rest, &kibibytes)
			m.rss = kibibytes << 10
		case "Pss":
			fmt.Sscan(rest, &kibibytes)
			m.pss = kibibytes << 10
		}
	}
	if m.rss == 0 || m.pss == 0 {
		return m, errors.Join(lines.Err(), fmt.Errorf("%s has no Rss or Pss", file.Name()))
	}
	return m, nil
}
