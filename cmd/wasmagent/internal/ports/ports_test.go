package ports_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/ports"
	"github.com/wasmagent/wasmagent/listen"
)

// says answers every connection with a text, once the gate is open.
type says struct {
	text string
	gate chan struct{} // which the answer waits for twice; nil is open
}

func (s says) ServeConn(ctx context.Context, c *listen.Conn) {
	line := make([]byte, 1)
	if _, err := io.ReadFull(c, line); err != nil {
		return
	}
	end, err := c.Begin(ctx)
	if err != nil {
		return
	}
	defer end()
	if s.gate != nil {
		s.gate <- struct{}{}
		<-s.gate
	}
	fmt.Fprint(c, s.text)
}

// A journal is a log that several goroutines write.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func newPorts(t *testing.T) (*ports.Ports, *journal) {
	t.Helper()
	j := &journal{}
	p := &ports.Ports{Log: slog.New(slog.NewTextHandler(j, nil))}
	t.Cleanup(p.Close)
	return p, j
}

func port(protocol, address string, h listen.Handler) ports.Port {
	return ports.Port{Protocol: protocol, Address: address, Settings: listen.Settings{Handler: h, Log: slog.New(slog.DiscardHandler)}}
}

// want makes these the listeners.
func want(t *testing.T, p *ports.Ports, list ...ports.Port) []ports.Open {
	t.Helper()
	c, err := p.Change(list)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Make(); err != nil {
		t.Fatal(err)
	}
	return p.Open()
}

func dial(t *testing.T, addr net.Addr) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	return c
}

func wantAnswer(t *testing.T, c net.Conn, want string) {
	t.Helper()
	if got, err := io.ReadAll(c); err != nil || string(got) != want {
		t.Errorf("the answer is %q, %v; want %q", got, err, want)
	}
}

const anywhere = "127.0.0.1:0"

func TestChange(t *testing.T) {
	t.Parallel()
	p, journal := newPorts(t)
	first := want(t, p, port("b", anywhere, says{text: "1"}), port("a", anywhere, says{text: "2"}))
	if len(first) != 2 || first[0].Protocol != "a" || first[0].Bound.String() == first[1].Bound.String() {
		t.Fatalf("open: %v", first)
	}
	wantAnswer(t, dial(t, first[0].Bound), "2")
	wantAnswer(t, dial(t, first[1].Bound), "1")

	// One stays, at its port, with another handler, and takes over another protocol.
	second := want(t, p, port("b", anywhere, says{text: "3"}))
	if len(second) != 1 || second[0].Bound.String() != first[1].Bound.String() {
		t.Fatalf("open: %v, were %v", second, first)
	}
	wantAnswer(t, dial(t, second[0].Bound), "3")
	third := want(t, p, port("c", anywhere, says{text: "4"}))
	wantAnswer(t, dial(t, third[0].Bound), "4")
	if third[0].Protocol != "c" || len(p.Addrs()) != 1 || p.Addrs()[0].String() != second[0].Bound.String() {
		t.Errorf("open: %v, %v", third, p.Addrs())
	}
	p.Close()
	if _, err := net.Dial("tcp", second[0].Bound.String()); err == nil || len(p.Open()) != 0 {
		t.Errorf("after Close: %v, open %v", err, p.Open())
	}
	for _, line := range []string{
		"msg=listening protocol=b address=" + first[1].Bound.String(),
		`msg="not listening any more" protocol=a address=` + first[0].Bound.String(),
	} {
		if !strings.Contains(journal.text.String(), line) {
			t.Errorf("the log lacks %q:\n%s", line, journal.text.String())
		}
	}
}

// TestChangeIsAllOrNothing has an address that is taken among others.
func TestChangeIsAllOrNothing(t *testing.T) {
	t.Parallel()
	p, _ := newPorts(t)
	taken, err := net.Listen("tcp", anywhere)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	before := want(t, p, port("a", anywhere, says{text: "1"}))
	_, err = p.Change([]ports.Port{
		port("a", anywhere, says{text: "2"}), port("n", taken.Addr().String(), says{}), port("o", "192.0.2.1:1", says{}), port("q", anywhere, says{}),
	})
	for _, text := range []string{"n cannot listen on " + taken.Addr().String() + ": ", "o cannot listen on 192.0.2.1:1: "} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v, want one with %q", err, text)
		}
	}
	if now := p.Open(); len(now) != 1 || now[0].Bound != before[0].Bound {
		t.Errorf("open: %v, were %v", now, before)
	}
	wantAnswer(t, dial(t, before[0].Bound), "1")
}

// TestChangeToWhatOverlaps has an address become every address of its port, which takes
// another start.
func TestChangeToWhatOverlaps(t *testing.T) {
	t.Parallel()
	p, _ := newPorts(t)
	open := want(t, p, port("a", anywhere, says{text: "1"}))
	_, number, err := net.SplitHostPort(open[0].Bound.String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Change([]ports.Port{port("a", ":"+number, says{})})
	if text := "the agent listens on " + anywhere + ", and has to be started again"; err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v, want one with %q", err, text)
	}
}

// TestNothingIsServedBeforeTheChange connects to an address that is bound, and is
// answered once the change is made.
func TestNothingIsServedBeforeTheChange(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", anywhere)
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	p, _ := newPorts(t)
	c, err := p.Change([]ports.Port{port("a", address, says{text: "1"})})
	if err != nil {
		t.Fatal(err)
	}
	waiting, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	if _, err := waiting.Write([]byte("x")); err != nil || len(p.Open()) != 0 {
		t.Fatalf("%v, open %v", err, p.Open())
	}
	if err := c.Make(); err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, waiting, "1")
	abandoned, err := p.Change([]ports.Port{port("a", address, says{}), port("b", anywhere, says{})})
	if err != nil {
		t.Fatal(err)
	}
	abandoned.Abandon()
	wantAnswer(t, dial(t, p.Addrs()[0]), "1")
}

// TestRequestsInFlightAreAnswered closes a listener under a request.
func TestRequestsInFlightAreAnswered(t *testing.T) {
	t.Parallel()
	p, _ := newPorts(t)
	gate := make(chan struct{})
	open := want(t, p, port("a", anywhere, says{text: "late", gate: gate}))
	asks := dial(t, open[0].Bound)
	<-gate
	want(t, p)
	close(gate)
	wantAnswer(t, asks, "late")
}
