package hostfs

import "sync"

// A Pool keeps each Dir open while somebody uses it, so that all its users share
// one account of its quota. The zero Pool is empty. It is safe for concurrent use.
type Pool struct {
	mu   sync.Mutex
	open map[mounted]*shared
}

// A mounted is a path as it was opened: what is writable for some is not for all.
type mounted struct {
	path     string
	writable bool
}

// A shared is a Dir with its users.
type shared struct {
	once  sync.Once
	users int // under Pool.mu
	dir   *Dir
	err   error
}

// Open opens the Dir at a path, or shares the one that is open for those who may
// write as well, or who may not either; beside that, o is the same for all users of
// a path. The Dir stays open until release is called, once.
func (p *Pool) Open(path string, o Options) (dir *Dir, release func(), err error) {
	p.mu.Lock()
	at := mounted{path, o.Writable}
	s := p.open[at]
	if s == nil {
		s = &shared{}
		if p.open == nil {
			p.open = map[mounted]*shared{}
		}
		p.open[at] = s
	}
	s.users++
	p.mu.Unlock()
	s.once.Do(func() { s.dir, s.err = Open(path, o) })
	if s.err != nil {
		p.release(at, s)
		return nil, nil, s.err
	}
	return s.dir, func() { p.release(at, s) }, nil
}

func (p *Pool) release(at mounted, s *shared) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.users--; s.users > 0 {
		return
	}
	delete(p.open, at)
	if s.dir != nil {
		s.dir.Close()
	}
}
