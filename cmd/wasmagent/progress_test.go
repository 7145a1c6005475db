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

func TestProgressOfTransfer(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	arrived, done := (&progress{w: &out}).arriving("web")
	arrived(1<<20, 4<<20)
	arrived(1<<20+1, 4<<20) // looks the same, and is not written
	arrived(3<<20, -1)
	done()
	const line = "\r\x1b[K"
	if want := line + "fetching web" + line + "fetching web, 1.0 MiB of 4.0" + line + "fetching web, 3.0 MiB" + line + "fetching web" + line; out.String() != want {
		t.Errorf("shows %q, want %q", out.String(), want)
	}
	arrived, done = newProgress(&out).arriving("web")
	out.Reset()
	arrived(1, 2)
	done()
	if out.Len() > 0 {
		t.Errorf("shows %q where there is no terminal", out.String())
	}
}

func TestNoProgress(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	newProgress(&out).of("building")("a")()
	if out.Len() > 0 {
		t.Errorf("shows %q where there is no terminal", out.String())
	}
}
