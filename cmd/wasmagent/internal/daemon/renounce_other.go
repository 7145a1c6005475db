//go:build unix && !linux

package daemon

// renounce has nothing to do where there is no such thing.
func renounce() error { return nil }
