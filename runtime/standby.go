package runtime

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	goruntime "runtime"

	"github.com/wasmagent/wasmagent/policy"
)

const (
	// busy is how long after a run the program is still busy, so that the instance of
	// the next run is kept.
	busy = 2 * time.Second
	// quiet is how long nothing runs before the agent is taken for idle.
	quiet = 2 * time.Millisecond
	// keptInstances is the most memory of all instances that wait, in bytes.
	keptInstances = 64 << 20
	// besideMemory is about what an instance takes beside its memory and its tables, and
	// tableEntry what each entry of these does, in bytes.
	besideMemory = 32 << 10
	tableEntry   = 8
)

// A standby is the instances that wait for runs of busy programs. While the agent is idle
// those that were used are restored, and one is made for each program that has none.
type standby struct {
	engine  *Engine
	most    int          // instances of one program that wait
	running atomic.Int64 // runs in progress
	idle    *time.Timer  // attends when nothing ran for a while
	review  *time.Timer  // gives up what waits in vain, while anything does
	working sync.Mutex   // held by what the timers call

	mu      sync.Mutex // guards what follows
	stocks  map[*code]*stock
	touched []*code // of which runs ended since they were attended to
	size    int64   // of all instances that wait, in bytes
	pressed bool    // memory was short at the last review
	closed  bool
}

// A stock is the instances of one program that wait.
type stock struct {
	waiting []*instance
	touched bool
	last    time.Time // when a run ended
	from    *beginning
	limit   policy.Bytes
}

func newStandby(e *Engine) *standby {
	s := &standby{engine: e, most: goruntime.GOMAXPROCS(0), stocks: map[*code]*stock{}}
	s.idle, s.review = stopped(s.attend), stopped(s.check)
	return s
}

// stopped is a timer that calls f once it is reset.
func stopped(f func()) *time.Timer {
	t := time.AfterFunc(time.Hour, f)
	t.Stop()
	return t
}

// began notes that a run is in progress.
func (s *standby) began() { s.running.Add(1) }

// take returns an instance of a program that begins as it is to, or nil.
func (s *standby) take(c *code, from *beginning, limit policy.Bytes) *instance {
	for in := s.pop(c); in != nil; in = s.pop(c) {
		if in.from == from && in.limit == limit && in.restore() == nil {
			return in
		}
		in.close()
	}
	return nil
}

// pop takes an instance out of a stock, or returns nil.
func (s *standby) pop(c *code) *instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stocks[c]
	if st == nil || len(st.waiting) == 0 {
		return nil
	}
	last := len(st.waiting) - 1
	in := st.waiting[last]
	st.waiting = st.waiting[:last]
	s.size -= in.takes()
	return in
}

// ended notes the end of a run of a program, well or not, and keeps its instance, if it had
// one that can be restored and the program is busy.
func (s *standby) ended(c *code, in *instance, well bool) {
	if in != nil && !(s.noted(c, in) && well && in.leave(s.engine.fdClose) && s.put(c, in)) {
		in.close()
	}
	if s.running.Add(-1) == 0 {
		s.idle.Reset(quiet)
	}
}

// noted tells whether the program of an instance was busy before its run ended.
func (s *standby) noted(c *code, in *instance) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stocks[c]
	if st == nil {
		if len(s.stocks) == 0 && !s.closed {
			s.review.Reset(busy)
		}
		st = &stock{}
		s.stocks[c] = st
	}
	now := time.Now()
	isBusy := now.Sub(st.last) < busy
	st.last, st.from, st.limit = now, in.from, in.limit
	if isBusy && !st.touched {
		st.touched, s.touched = true, append(s.touched, c)
	}
	return isBusy
}

// put keeps an instance if there is room for it.
func (s *standby) put(c *code, in *instance) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stocks[c]
	if st == nil || s.closed || s.pressed || len(st.waiting) >= s.most || s.size+in.takes() > keptInstances {
		return false
	}
	st.waiting = append(st.waiting, in)
	s.size += in.takes()
	return true
}

// takes is about how much memory an instance takes, in bytes.
func (in *instance) takes() int64 {
	return in.memory.Takes() + besideMemory + tableEntry*int64(in.Entries)
}

// attend makes instances ready for the programs that ran last, as long as the agent is
// idle.
func (s *standby) attend() {
	s.working.Lock()
	defer s.working.Unlock()
	for s.running.Load() == 0 {
		c, st := s.next()
		if c == nil {
			return
		}
		if c.hold() {
			s.ready(c, st)
			c.release()
		}
	}
}

// next is a program to attend to, or nil.
func (s *standby) next() (*code, stock) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.touched) > 0 && !s.pressed && !s.closed {
		last := len(s.touched) - 1
		c := s.touched[last]
		s.touched = s.touched[:last]
		if st := s.stocks[c]; st != nil {
			st.touched = false
			return c, *st
		}
	}
	return nil, stock{}
}

// ready has an instance of a program be ready.
func (s *standby) ready(c *code, st stock) {
	in := s.pop(c)
	if in == nil {
		var err error
		if in, err = s.engine.newInstance(s.engine.life, c, st.from, st.limit); err != nil {
			return // the run that wants one will say so
		}
	}
	if in.restore() != nil || !s.put(c, in) {
		in.close()
	}
}

// check gives up the instances of programs that are busy no longer, and all if memory is
// short.
func (s *standby) check() {
	s.working.Lock()
	defer s.working.Unlock()
	pressed := s.engine.pressed()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pressed = pressed
	for c, st := range s.stocks {
		if pressed || time.Since(st.last) >= busy {
			s.empty(c, st)
		}
	}
	if len(s.stocks) > 0 && !s.closed {
		s.review.Reset(busy)
	}
}

// forget gives up the instances of a program.
func (s *standby) forget(c *code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.stocks[c]; st != nil {
		s.empty(c, st)
	}
}

// empty closes the instances of a stock and forgets it; under mu.
func (s *standby) empty(c *code, st *stock) {
	delete(s.stocks, c)
	s.touched = slices.DeleteFunc(s.touched, func(other *code) bool { return other == c })
	for _, in := range st.waiting {
		s.size -= in.takes()
		in.close()
	}
}

// close ends what the timers do. All programs are forgotten already.
func (s *standby) close() {
	s.idle.Stop()
	s.review.Stop()
	s.working.Lock() // waits for what they do now
	defer s.working.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}
