package listen

import (
	"bufio"
	"errors"
	"net"
	"sync"
	"time"
)

// A wire is a socket whose first byte can be looked at, and whose every write has
// a deadline.
type wire struct {
	net.Conn
	in    *bufio.Reader
	limit time.Duration

	mu    sync.Mutex
	until time.Time // the deadline that was set for writes; zero is none
}

// newWire reads through the smallest buffer that there is; larger reads go past it.
func newWire(socket net.Conn, limit time.Duration) *wire {
	return &wire{Conn: socket, in: bufio.NewReaderSize(socket, 16), limit: limit}
}

// first waits for the first byte and leaves it to be read.
func (w *wire) first() (byte, error) {
	b, err := w.in.Peek(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

func (w *wire) Read(p []byte) (int, error) { return w.in.Read(p) }

// pieceSize is the most that one deadline is for: a record of TLS.
const pieceSize = 16 << 10

func (w *wire) Write(p []byte) (n int, err error) {
	for err == nil && n < len(p) {
		w.limitWrite()
		var m int
		m, err = w.Conn.Write(p[n:min(n+pieceSize, len(p))])
		n += m
	}
	return n, err
}

// limitWrite sets the deadline of one write: the one that was set, or an earlier one.
func (w *wire) limitWrite() {
	w.mu.Lock()
	defer w.mu.Unlock()
	end := time.Now().Add(w.limit)
	if !w.until.IsZero() && w.until.Before(end) {
		end = w.until
	}
	w.Conn.SetWriteDeadline(end)
}

func (w *wire) SetWriteDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.until = t
	return w.Conn.SetWriteDeadline(t)
}

func (w *wire) SetDeadline(t time.Time) error {
	if err := w.SetWriteDeadline(t); err != nil {
		return err
	}
	return w.SetReadDeadline(t)
}

// CloseWrite tells the peer that nothing more will come.
func (w *wire) CloseWrite() error {
	socket, ok := w.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return socket.CloseWrite()
}
