//go:build !linux && !windows

package memory

// pages would know which pages the process has for itself, but this system does not say it.
type pages struct{}

func openPages() *pages { return nil }

// touched appends that all of the first bytes may have been written.
func (*pages) touched(spans []span, _ *region, bytes uint64) []span {
	return append(spans, span{0, bytes})
}

func (*pages) close() {}

// populate would have the system supply pages at once.
func (*region) populate(span) {}
