package guestfs

import (
	"path"
	"strings"

	experimental "github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/errno"
)

// maxObserved is the longest path of an Attempt in bytes; of a longer one it has
// the beginning.
const maxObserved = 512

// An Attempt is one path that a guest tried.
type Attempt struct {
	// Op is what it tried, in the words of POSIX, such as "open" or "rename".
	Op string
	// Path is the path, absolute and clean. It may hold any byte.
	Path string
	// Errno is the error that the guest saw, such as "ENOENT"; empty if it
	// succeeded.
	Errno string
	// Why says for people what stood in the way; empty where Errno says it all.
	Why string
	// Refused is whether a grant was what it lacked, or a granted path led to what
	// no grant can give.
	Refused bool
	// NeedsGrant is whether the path takes a grant: it is outside of the zip, and
	// no command of the module's own.
	NeedsGrant bool
}

// offLimits is why a directory of the host denies what is granted.
const offLimits = "a link leads out of the directory, it is neither a file nor a directory, or the agent itself may not open it"

// absolute is the form of a guest's path that grants are matched with.
func absolute(name string) string { return path.Clean("/" + name) }

// observe reports an attempt.
func (m *Mount) observe(op string, e experimental.Errno) {
	if m.run.Observe == nil {
		return
	}
	name := m.name
	if name == "/" && e == 0 { // which wazero does for every program
		return
	}
	m.attempts++
	a := Attempt{Op: op, Path: name[:min(len(name), maxObserved)], Errno: errno.Name(e), Why: m.why, Refused: m.refused}
	lacks := ""
	if !m.refused && isRoot(name[1:]) {
		lacks = m.access.Lacks(name)
	}
	a.NeedsGrant = m.refused || isRoot(name[1:]) && (e != 0 || lacks == "")
	switch {
	case e == 0 || a.Why != "":
	case lacks != "":
		a.Why, a.Refused = lacks, true
	case e == experimental.EACCES:
		a.Why, a.Refused = offLimits, true
	}
	m.run.Observe(a)
}

// isRoot tells whether a path is, or is beneath, what a zip cannot hold.
func isRoot(relative string) bool {
	first, _, _ := strings.Cut(relative, "/")
	return policy.IsRoot(first)
}

// Reject reports an attempt that came to nothing before it reached the Mount.
func (m *Mount) Reject(op, name, why string) {
	m.attempted = attempted{name: absolute(name), why: why}
	m.observe(op, experimental.EPERM)
}

// Attempts counts the attempts that were observed.
func (m *Mount) Attempts() int { return m.attempts }

// refuse notes that a grant is what an attempt lacks, and answers what the guest
// is to see.
func (m *Mount) refuse(why string, e experimental.Errno) experimental.Errno {
	m.why, m.refused = why, true
	return e
}
