// Package confine keeps a process of the host within bounds, as far as the
// operating system lets an agent that need not be root.
//
// What can only be set between the start of a process and of its program, Go
// cannot set. So the agent starts itself once more: Main, which comes first in
// main, recognizes that, confines the process that it is in, and becomes the
// program. It is called the shim. What it is told stands in its own argument
// vector, which is gone once the program runs; the program gets its argument
// vector, environment, working directory and standard streams as they are.
//
// Guarantees on Unix, all of them for every descendant of the process as well:
//
//   - It leads a session of its own, so that it has no terminal.
//   - CPU time, memory, the size of files and the number of open files are
//     limited for each process, and no core is dumped. With a user of its own
//     the number of that user's processes is limited, too.
//   - On Linux it gains no privilege by executing a program (no_new_privs) and
//     holds no capability but those of Keeps. Landlock lets it read everything
//     that its user can, write only below its working directory and to
//     /dev/null and its kin, and reach no process outside by signals, ptrace or
//     abstract sockets.
//   - On Linux, nothing of it is left after End, even if it left its session.
//   - If one of these cannot be applied although the system has it, the program
//     does not run, and the error says why.
//
// On Windows a job object does this, which package providers makes; the package
// then only says what the limits are. Missing says what a system lacks.
//
// On Linux Self makes this process the one that orphans among its descendants get
// as their parent (PR_SET_CHILD_SUBREAPER), which is how End finds them.
//
// A Cage is safe for concurrent use.
package confine

import (
	"cmp"
	"time"

	"github.com/wasmagent/wasmagent/policy"
)

// Config is what the operator says about the processes of the host. Its toml
// tags are the keys of [native] in config.toml. Zeros are the defaults, never
// "unlimited".
type Config struct {
	// User is the name of the user that processes run as; empty is the agent's
	// own. It needs an agent that runs as root.
	User string `toml:"user"`
	// Memory is what each process may have of private memory that it can write
	// to; on Windows all processes of a run together.
	Memory policy.Bytes `toml:"memory"`
	// FileSize is the largest file that a process may write. Windows has no
	// such limit.
	FileSize policy.Bytes `toml:"file_size"`
	// Processes is the most processes and threads that User has at one time; on
	// Windows the most processes of one run.
	Processes int `toml:"processes"`
}

// Defaults hold where a Config says nothing.
var Defaults = Config{Memory: 1 * policy.GiB, FileSize: 64 * policy.MiB, Processes: 256}

func (c Config) withDefaults() Config {
	c.Memory = cmp.Or(c.Memory, Defaults.Memory)
	c.FileSize = cmp.Or(c.FileSize, Defaults.FileSize)
	c.Processes = cmp.Or(c.Processes, Defaults.Processes)
	return c
}

// A Cage is what confines the processes that an agent starts.
type Cage struct {
	// Limits are those of the Config, with the defaults filled in.
	Limits Config

	shim *Shim // nil where nothing can be started
	user *user // who processes run as; nil is the agent's user
}

// A Shim starts this program once more to confine a process. It is to be the
// only one in its process, for it ends every confined child that it does not
// know.
type Shim struct {
	program  string
	sessions sessions
}

// Self is this program, whose main has to call Main first.
func Self() (*Shim, error) {
	program, err := self()
	if err != nil {
		return nil, err
	}
	s := &Shim{program: program}
	s.sessions.adopt()
	return s, nil
}

// A user is one of the system.
type user struct{ UID, GID int }

// New returns what confines by a Config. Without a Shim nothing can be started
// on Unix. The error says that there is no such user, or that the agent cannot
// become it.
func New(c Config, shim *Shim) (*Cage, error) {
	cage := &Cage{Limits: c.withDefaults(), shim: shim}
	if c.User != "" {
		var err error
		if cage.user, err = find(c.User); err != nil {
			return nil, err
		}
	}
	return cage, nil
}

// Owner is who the files of processes have to belong to, if that is not the
// agent's user.
func (c *Cage) Owner() (uid, gid int, other bool) {
	if c.user == nil {
		return 0, 0, false
	}
	return c.user.UID, c.user.GID, true
}

// CPU is the CPU time that a process of a run may take whose time limit is this:
// whole seconds, rounded up, since systems count so, and one to spare, so that a
// process that only computes meets its time limit first.
func CPU(run time.Duration) time.Duration {
	return (run + time.Second - 1).Truncate(time.Second) + time.Second
}
