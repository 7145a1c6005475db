package hostfs

import "sync"

// A Pool keeps each Dir open while somebody uses it, so that all its users share
// one account of its quota. The zero Pool is empty. It is safe for concurrent use.
type Pool struct {
	mu   sync.Mutex
	open map[string]*shared // by path
}

// A shared is a Dir with its users.
type shared struct {
	once  sync.Once
	users int // under Pool.mu
	dir   *Dir
	err   error
}

// Open opens the Dir at a path, or shares the one that is open; o is the same for
// all users of a path. The Dir stays open until release is called, once.
func (p *Pool) Open(path string, o Options) (dir *Dir, release func(), err error) {
	p.mu.Lock()
	s := p.open[path]
	if s == nil {
		s = &shared{}
		if p.open == nil {
			p.open = map[string]*shared{}
		}
		p.open[path] = s
	}
	s.users++
	p.mu.Unlock()
	s.once.Do(func() { s.dir, s.err = Open(path, o) })
	if s.err != nil {
		p.release(path, s)
		return nil, nil, s.err
	}
	return s.dir, func() { p.release(path, s) }, nil
}

func (p *Pool) release(path string, s *shared) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.users--; s.users > 0 {
		return
	}
	delete(p.open, path)
	if s.dir != nil {
		s.dir.Close()
	}
}
