//go:build linux

package checks

func (f *findings) chart() []byte { return nil }
