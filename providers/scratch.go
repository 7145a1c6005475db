package providers

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/wasmagent/wasmagent/internal/private"
	"github.com/wasmagent/wasmagent/providers/confine"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A scratch is where this process unpacks modules.
//
// Its directory holds one directory for each agent that has a module unpacked,
// with a lock that the agent holds while it lives; one that nobody holds is
// what a crash has left, and is removed when the next agent starts. The lock of
// the directory itself is held for as long as it takes to make or to remove one.
type scratch struct {
	dir  string        // empty if there is none
	cage *confine.Cage // whose processes run in the modules
	log  *slog.Logger

	mu      sync.Mutex
	own     string               // this agent's directory; empty if it has none
	lock    *os.File             // what shows that this agent lives
	modules map[string]*unpacked // by digest
}

// An unpacked is a directory with the files of a module, and the number of
// those that use it.
type unpacked struct {
	dir   string
	users int
}

const (
	agentPrefix = "agent-"
	lockName    = "lock"
)

// openScratch removes what agents that no longer live have left in a directory,
// if it is there at all.
func openScratch(dir string, cage *confine.Cage, log *slog.Logger) (*scratch, error) {
	s := &scratch{dir: dir, cage: cage, log: log, modules: make(map[string]*unpacked)}
	if dir == "" {
		return s, nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s.dir = dir
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	release, err := s.locked()
	if err != nil {
		return nil, err
	}
	defer release()
	return s, s.sweep()
}

// made makes the directory if it is missing. It must be this user's alone;
// another one that processes run as may pass through it.
func (s *scratch) made() error {
	if _, _, other := s.cage.Owner(); !other {
		return private.Dir(s.dir)
	}
	if err := private.Passable(s.dir); err != nil {
		return err
	}
	return s.cage.Reaches(s.dir)
}

// locked takes the lock of the directory, which is made if it is missing.
func (s *scratch) locked() (release func(), _ error) {
	if err := s.made(); err != nil {
		return nil, fmt.Errorf("directory %s for unpacking modules: %w", s.dir, err)
	}
	lock, err := openLock(filepath.Join(s.dir, lockName), true)
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Close() }, nil
}

// sweep removes the directories of agents that no longer live.
func (s *scratch) sweep() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), agentPrefix) {
			continue
		}
		dir := filepath.Join(s.dir, e.Name())
		_ = os.Chmod(dir, 0o700) // which a script may have changed
		lock, err := openLock(filepath.Join(dir, lockName), false)
		if err != nil {
			continue // it lives
		}
		_ = lock.Close()
		s.remove(dir)
	}
	return nil
}

// remove removes a directory. One that resists is logged and left.
func (s *scratch) remove(dir string) {
	err := os.RemoveAll(dir)
	if errors.Is(err, fs.ErrPermission) {
		giveRights(dir)
		err = os.RemoveAll(dir)
	}
	if err != nil {
		s.log.Warn("an unpacked module cannot be removed; remove its directory by hand", "directory", dir, "error", err)
	}
}

// giveRights lets the agent change a directory and all in it, as scripts may have made
// directories that it cannot. Whatever goes wrong shows when they are removed.
func giveRights(dir string) {
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(name, 0o700) // before WalkDir reads it
		}
		return nil
	})
}

// openLock opens a file and locks it for as long as it is open. It waits for a
// lock that another process holds, or returns an error.
func openLock(name string, wait bool) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f, wait); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	return f, nil
}

// unpack returns a directory with the files of a module, made if nobody has it
// yet. Each call needs one of release.
func (s *scratch) unpack(m *zipmod.Module) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.modules[m.Digest]; u != nil {
		u.users++
		return u.dir, nil
	}
	if err := s.settle(); err != nil {
		return "", err
	}
	dir := filepath.Join(s.own, m.Digest)
	if err := s.write(dir, m.Files); err != nil {
		s.leave()
		return "", fmt.Errorf("unpacking module %s: %w", m.Name, err)
	}
	s.modules[m.Digest] = &unpacked{dir: dir, users: 1}
	return dir, nil
}

// release gives a module's directory back; nobody's is removed.
func (s *scratch) release(m *zipmod.Module) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.modules[m.Digest]
	if u.users--; u.users > 0 {
		return
	}
	delete(s.modules, m.Digest)
	s.remove(u.dir)
	s.leave()
}

// settle makes this agent's directory, if it has none.
func (s *scratch) settle() error {
	switch {
	case s.own != "":
		return nil
	case s.dir == "":
		return errors.New("there is no directory to unpack modules into; set one")
	}
	release, err := s.locked()
	if err != nil {
		return err
	}
	defer release()
	own, err := os.MkdirTemp(s.dir, agentPrefix)
	if err != nil {
		return err
	}
	if _, _, other := s.cage.Owner(); other {
		err = os.Chmod(own, 0o711)
	}
	if err == nil {
		s.lock, err = openLock(filepath.Join(own, lockName), false)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(own))
	}
	s.own = own
	return nil
}

// leave removes this agent's directory once no module is in it.
func (s *scratch) leave() {
	if len(s.modules) > 0 {
		return
	}
	_ = s.lock.Close()
	s.remove(s.own)
	s.own, s.lock = "", nil
}

// write puts files into a new directory, which has its name only once it is
// complete. A zip module has no file modes, so that everything in it may be run
// by its owner, and nothing read or written by others.
func (s *scratch) write(dir string, files []zipmod.File) error {
	part := dir + ".part"
	if err := os.Mkdir(part, 0o700); err != nil {
		return err
	}
	err := writeFiles(part, files)
	if err == nil {
		err = s.give(part)
	}
	if err == nil {
		err = os.Rename(part, dir)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(part))
	}
	return nil
}

// give makes the user that processes run as the owner of a directory and of all
// in it; of the directory last, for until then nobody else can get into it.
func (s *scratch) give(dir string) error {
	uid, gid, other := s.cage.Owner()
	if !other {
		return nil
	}
	var names []string
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		names = append(names, name)
		return err
	})
	for _, name := range slices.Backward(names) {
		err = errors.Join(err, os.Lchown(name, uid, gid))
	}
	return err
}

func writeFiles(dir string, files []zipmod.File) error {
	// A process that is forked while a script is open for writing would hold it
	// open, and the script could not be executed until that ends.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range files {
		if err := root.MkdirAll(path.Dir(f.Name), 0o700); err != nil {
			return err
		}
		if err := root.WriteFile(f.Name, f.Data, 0o700); err != nil {
			return err
		}
	}
	return nil
}

// A home is a loaded module's use of the scratch.
type home struct {
	scratch *scratch
	module  *zipmod.Module

	mu  sync.Mutex
	dir string // empty until the module is unpacked
}

// unpacked returns the directory with the module's files, unpacked by the first
// who asks. An error is not kept: the disk may have room again the next time.
func (h *home) unpacked() (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dir != "" {
		return h.dir, nil
	}
	dir, err := h.scratch.unpack(h.module)
	h.dir = dir
	return dir, err
}

func (h *home) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dir != "" {
		h.scratch.release(h.module)
		h.dir = ""
	}
}
