package runtime

import (
	"maps"
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
	busy = 10 * time.Second
	// quiet is how long nothing runs before the agent is taken for idle.
	quiet = 2 * time.Millisecond
	// keptInstances is the most memory of all instances that wait, in bytes.
	keptInstances = 64 << 20
	// besideMemory is about what an instance takes beside its memory, in bytes.
	besideMemory = 32 << 10
)

// A standby is the instances that wait for runs of busy programs. While the agent is idle
// those that were used are restored, and one is made for each program that has none.
type standby struct {
	engine  *Engine
	running atomic.Int64 // runs in progress
	pressed atomic.Bool  // memory was short when that was last asked
	idle    *time.Timer  // fires when nothing ran for a while

	attending sync.Mutex // held by attend

	mu     sync.Mutex // guards what follows
	stocks map[*code]*stock
	size   int64 // of all instances that wait, in bytes
	closed bool
}

// A stock is the instances of one program that wait.
type stock struct {
	waiting []*instance
	last    time.Time // when a run ended
	from    *beginning
	limit   policy.Bytes
}

func newStandby(e *Engine) *standby {
	s := &standby{engine: e, stocks: map[*code]*stock{}}
	s.idle = time.AfterFunc(busy, s.attend)
	return s
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
	s.running.Add(-1)
	s.idle.Reset(quiet)
}

// noted tells whether the program of an instance was busy before its run ended.
func (s *standby) noted(c *code, in *instance) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stocks[c]
	if st == nil {
		st = &stock{}
		s.stocks[c] = st
	}
	now := time.Now()
	isBusy := now.Sub(st.last) < busy
	st.last, st.from, st.limit = now, in.from, in.limit
	return isBusy
}

// put keeps an instance if there is room for it.
func (s *standby) put(c *code, in *instance) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stocks[c]
	if st == nil || s.closed || s.pressed.Load() || len(st.waiting) >= goruntime.GOMAXPROCS(0) || s.size+in.takes() > keptInstances {
		return false
	}
	st.waiting = append(st.waiting, in)
	s.size += in.takes()
	return true
}

// takes is about how much memory an instance takes at most, in bytes.
func (in *instance) takes() int64 { return int64(in.size) + besideMemory }

// attend makes instances ready, as long as the agent is idle, and gives those up that have
// waited in vain, or all if memory is short.
func (s *standby) attend() {
	if !s.attending.TryLock() {
		return
	}
	defer s.attending.Unlock()
	s.pressed.Store(s.engine.config.Pressed != nil && s.engine.config.Pressed())
	s.mu.Lock()
	programs := slices.Collect(maps.Keys(s.stocks))
	s.mu.Unlock()
	for _, c := range programs {
		if s.running.Load() == 0 && c.hold() {
			s.tend(c)
			c.release()
		}
	}
	if len(programs) > 0 && s.running.Load() == 0 {
		s.idle.Reset(busy)
	}
}

// tend attends to one program.
func (s *standby) tend(c *code) {
	s.mu.Lock()
	st := s.stocks[c]
	idle := st == nil || time.Since(st.last) >= busy
	s.mu.Unlock()
	if idle || s.pressed.Load() {
		s.forget(c)
		return
	}
	in := s.pop(c)
	if in == nil {
		in = s.next(c, st)
	}
	if in != nil && (in.restore() != nil || !s.put(c, in)) {
		in.close()
	}
}

// next makes an instance like the last one of a program, or returns nil.
func (s *standby) next(c *code, st *stock) *instance {
	s.mu.Lock()
	from, limit := st.from, st.limit
	s.mu.Unlock()
	in, err := s.engine.newInstance(s.engine.life, c, from, limit)
	if err != nil { // the run that wants one will say so
		return nil
	}
	return in
}

// forget gives up the instances of a program.
func (s *standby) forget(c *code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stocks[c]
	if st == nil {
		return
	}
	delete(s.stocks, c)
	for _, in := range st.waiting {
		s.size -= in.takes()
		in.close()
	}
}

// close ends the attendance. All programs are forgotten already.
func (s *standby) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.idle.Stop()
	s.attending.Lock()
	defer s.attending.Unlock()
	s.idle.Stop()
}
