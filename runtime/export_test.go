package runtime

// Waiting is how many instances of the program wait for a run, and how many of them a run
// has used and nobody has restored.
func (p *Program) Waiting() (all, used int) {
	s := p.engine.standby
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.stocks[p.unit.value.code.Load()]; st != nil {
		for _, in := range st.waiting {
			if all++; in.used {
				used++
			}
		}
	}
	return all, used
}

// SetRoom sets how many bytes the snapshots of the engine may hold from now on.
func (e *Engine) SetRoom(bytes int64) { e.room.Store(bytes) }
