package guestfs

import (
	"io/fs"
	"strings"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/sys"
)

// MaxArguments is the most bytes that can be written to a command.
const MaxArguments = 128 << 10

// commands is what is at /command: opening a file there begins a call.
type commands struct {
	fixed
	mount *Mount
}

func newCommands(m *Mount, _ string) (experimental.FS, error) { return &commands{mount: m}, nil }

// commandStat describes every command. It is a file, so that any guest reads it
// to its end, with a size that nobody knows yet.
var commandStat = sys.Stat_t{Dev: deviceNumber, Mode: 0o600, Nlink: 1}

// OpenFile begins a call of a command.
func (c *commands) OpenFile(name string, flag experimental.Oflag, _ fs.FileMode) (experimental.File, experimental.Errno) {
	run, _ := c.mount.commands(name)
	switch {
	case run == nil:
		return nil, experimental.ENOENT
	case flag&experimental.O_DIRECTORY != 0:
		return nil, experimental.ENOTDIR
	case c.mount.Full():
		return nil, experimental.EAGAIN
	}
	return &call{content: content{descriptor: c.mount.descriptor(commandStat), document: true}, run: run}, 0
}

// Stat describes a command, without running it.
func (c *commands) Stat(name string) (sys.Stat_t, experimental.Errno) {
	if run, _ := c.mount.commands(name); run == nil {
		return sys.Stat_t{}, experimental.ENOENT
	}
	return commandStat, 0
}

// Lstat is Stat.
func (c *commands) Lstat(name string) (sys.Stat_t, experimental.Errno) { return c.Stat(name) }

// A call is one run of a command: what is written are its arguments, and the first
// read runs it. What is read is the answer.
type call struct {
	content
	run       Command // nil once it has run
	arguments strings.Builder
}

// Write adds to the arguments, each of which a newline ends.
func (c *call) Write(buf []byte) (int, experimental.Errno) {
	switch e := c.use(); {
	case e != 0:
		return 0, e
	case c.run == nil:
		return 0, experimental.EPERM
	case c.arguments.Len()+len(buf) > MaxArguments:
		return 0, experimental.EINVAL
	}
	c.arguments.Write(buf)
	return len(buf), 0
}

// Pwrite is Write: arguments follow one another.
func (c *call) Pwrite(buf []byte, _ int64) (int, experimental.Errno) { return c.Write(buf) }

// Truncate does nothing, for there is nothing yet.
func (c *call) Truncate(int64) experimental.Errno { return c.use() }

// Read runs the command, and reads its answer.
func (c *call) Read(buf []byte) (int, experimental.Errno) {
	if e := c.answer(); e != 0 {
		return 0, e
	}
	return c.content.Read(buf)
}

// Pread is Read from off on.
func (c *call) Pread(buf []byte, off int64) (int, experimental.Errno) {
	if e := c.answer(); e != 0 {
		return 0, e
	}
	return c.content.Pread(buf, off)
}

// answer runs the command once. It is EIO where the answer is too much beside the
// documents that are open; then there is none.
func (c *call) answer() experimental.Errno {
	if e := c.use(); e != 0 || c.run == nil {
		return e
	}
	var args []string
	if text := strings.TrimSuffix(c.arguments.String(), "\n"); c.arguments.Len() > 0 {
		args = strings.Split(text, "\n")
	}
	run := c.run
	c.run = nil
	data := run(c.mount.run.Context, args)
	c.mount.run.Alive()
	if c.mount.keep(data) != nil {
		return experimental.EIO
	}
	c.data = data
	return 0
}
