package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestProgress(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &progress{w: &out}
	shows := func(want string) {
		t.Helper()
		if got := out.String(); got != "\r\x1b[K"+want {
			t.Errorf("shows %q, want %q", got, want)
		}
		out.Reset()
	}
	built := p.of("building")("scripts/a.wasm")
	shows("building a")
	compiled := p.of("compiling")("b")
	shows("building a, compiling b")
	built()
	shows("compiling b")
	long := p.of("compiling")(strings.Repeat("c", 100))
	shows("compiling b, compiling " + strings.Repeat("c", maxLine-23) + "... (2)")
	long()
	shows("compiling b")
	compiled()
	shows("")
}

func TestNoProgress(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	newProgress(&out).of("building")("a")()
	if out.Len() > 0 {
		t.Errorf("shows %q where there is no terminal", out.String())
	}
}
