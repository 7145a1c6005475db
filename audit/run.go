package audit

import "sync"

// A Run takes down what one run of a script is refused: each path once for each
// reason, and at most MaxRun of them. A nil Run takes down nothing.
type Run struct {
	log  *Log
	line Line // what the lines have in common

	lock sync.Mutex
	seen map[refusal]bool
	more int
}

// A refusal is a path, cut to its bound, with the reason.
type refusal struct{ path, why string }

// Run begins a run of a command of a module whose zip has a digest.
func (l *Log) Run(module, digest, command string) *Run {
	if l == nil {
		return nil
	}
	line := Line{Event: Refused, Module: module, Digest: digest, Command: command}
	return &Run{log: l, line: line, seen: map[refusal]bool{}}
}

// Refused writes a line, or counts it.
func (r *Run) Refused(path, why string) {
	if r != nil && r.isNew(refusal{clipped(path), clipped(why)}) {
		line := r.line
		line.Path, line.Why = path, why
		r.log.Write(line)
	}
}

// isNew notes a refusal, and tells whether it is to be written.
func (r *Run) isNew(new refusal) bool {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.seen[new] {
		return false
	}
	if len(r.seen) >= MaxRun {
		r.more++
		return false
	}
	r.seen[new] = true
	return true
}

// Close ends the run: a last line tells how many refusals were not written, if
// there were any.
func (r *Run) Close() {
	if r == nil {
		return
	}
	r.lock.Lock()
	more := r.more
	r.more = 0
	r.lock.Unlock()
	if more > 0 {
		line := r.line
		line.More, line.Why = more, "the run was refused more often than is written down"
		r.log.Write(line)
	}
}
