package guestfs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/errno"
)

const (
	// streamAhead is how many bytes of a stream are read before the guest asks
	// for them.
	streamAhead = 16 << 10
	// datagramAhead holds the largest datagram.
	datagramAhead = 64 << 10
)

// A conn is an open connection. It is a socket to WASI: wazero finds Recvfrom
// and Shutdown, and with that what is called net.Conn in Go's own guests.
//
// A guest that waits for several connections at once, or for one beside a clock,
// asks whether one is Ready; that begins to read ahead. Reading ahead is all that
// happens in another goroutine.
type conn struct {
	descriptor
	net      net.Conn
	datagram bool
	nonblock bool
	shut     bool // no more is to be read
	unwatch  func() bool
	ahead    *ahead // nil if nothing was read ahead
}

// An ahead is one read before the guest asked for it.
type ahead struct {
	done chan struct{} // closed when what follows is set
	data []byte
	err  error
}

// newConn makes an open file of a connection, which the end of the run closes. A
// little before that, whatever waits for the peer is ETIMEDOUT, so that the script
// has time left to answer.
func newConn(m *Mount, c net.Conn, datagram bool) *conn {
	c.SetDeadline(m.patience)
	if m.ready == nil {
		m.ready = make(chan struct{}, 1)
	}
	below := c
	if secured, ok := c.(interface{ NetConn() net.Conn }); ok {
		below = secured.NetConn() // closing TLS waits for a peer that does not read
	}
	stop := context.AfterFunc(m.run.Context, func() { below.Close() })
	return &conn{descriptor: m.descriptor(sys.Stat_t{Dev: deviceNumber, Mode: fs.ModeSocket | 0o600, Nlink: 1}), net: c, datagram: datagram, unwatch: stop}
}

// Ready tells whether a read would not wait. wake is called once if it would, and
// then does not any more.
func (c *conn) Ready(wake func()) bool {
	if c.closed || c.shut {
		return true
	}
	if c.ahead == nil {
		c.readAhead(wake)
	}
	select {
	case <-c.ahead.done:
		return true
	default:
		return false
	}
}

// readAhead begins a read in another goroutine.
func (c *conn) readAhead(wake func()) {
	a := &ahead{done: make(chan struct{})}
	c.ahead = a
	size := streamAhead
	if c.datagram {
		size = datagramAhead
	}
	go func() {
		a.data = make([]byte, size)
		n, err := c.net.Read(a.data)
		a.data, a.err = a.data[:n], err
		close(a.done)
		wake()
	}()
}

// Read reads what has arrived, and waits for it unless the descriptor is
// non-blocking. Of a datagram, what does not fit is lost.
func (c *conn) Read(buf []byte) (int, experimental.Errno) { return c.receive(buf, false) }

// peek is wazero's only flag of Recvfrom: MSG_PEEK.
const peek = 0x2

// Recvfrom is Read; with MSG_PEEK it leaves what it returns to be read again.
func (c *conn) Recvfrom(buf []byte, flags int) (int, experimental.Errno) {
	return c.receive(buf, flags&peek != 0)
}

func (c *conn) receive(buf []byte, peek bool) (int, experimental.Errno) {
	if e := c.use(); e != 0 {
		return 0, e
	}
	switch {
	case c.shut || len(buf) == 0:
		return 0, 0
	case c.nonblock && !c.Ready(c.mount.wake):
		return 0, experimental.EAGAIN
	case c.ahead == nil && !peek:
		n, err := c.net.Read(buf)
		return n, c.failed(n, err)
	case c.ahead == nil:
		c.readAhead(c.mount.wake)
	}
	<-c.ahead.done
	return c.take(buf, peek)
}

// take reads from what was read ahead.
func (c *conn) take(buf []byte, peek bool) (int, experimental.Errno) {
	a := c.ahead
	n := copy(buf, a.data)
	switch {
	case peek:
		return n, c.failed(n, a.err)
	case c.datagram || n == len(a.data) && a.err == nil:
		c.ahead = nil
	default:
		a.data = a.data[n:] // an error stays for the next read
	}
	return n, c.failed(n, a.err)
}

// failed is the errno of an error after n bytes. The end of the run ends it here.
func (c *conn) failed(n int, err error) experimental.Errno {
	c.mount.run.Alive()
	if n > 0 || err == nil || errors.Is(err, io.EOF) {
		return 0
	}
	c.mount.errno = connErrno(err)
	return c.mount.errno
}

// connErrno is the errno of an error of a connection.
func connErrno(err error) experimental.Errno {
	switch {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.ECONNABORTED):
		return errno.ECONNRESET
	case errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return errno.EPIPE
	case errors.Is(err, syscall.ECONNREFUSED): // what a datagram learns
		return errno.ECONNREFUSED
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return errno.ETIMEDOUT
	}
	return experimental.EIO
}

// Write sends all of buf, as one datagram where those are sent. It waits while
// the other side takes nothing.
func (c *conn) Write(buf []byte) (int, experimental.Errno) {
	if e := c.use(); e != 0 {
		return 0, e
	}
	n, err := c.net.Write(buf)
	return n, c.failed(n, err)
}

// Shutdown ends one half of the connection: the reading one on this side only.
func (c *conn) Shutdown(how int) experimental.Errno {
	if e := c.use(); e != 0 {
		return e
	}
	if how == syscall.SHUT_RD {
		c.shut = true
		return 0
	}
	half, ok := c.net.(interface{ CloseWrite() error })
	if !ok {
		return experimental.ENOTSUP
	}
	return c.failed(0, half.CloseWrite())
}

// IsNonblock tells what SetNonblock was told.
func (c *conn) IsNonblock() bool { return c.nonblock }

// SetNonblock makes reads that would wait EAGAIN.
func (c *conn) SetNonblock(enable bool) experimental.Errno {
	c.nonblock = enable
	return c.use()
}

// Poll tells whether a read would not wait, at once: wazero asks nothing of it
// that waits.
func (c *conn) Poll(experimental.Pflag, int32) (bool, experimental.Errno) {
	return c.Ready(c.mount.wake), c.use()
}

// Datasync does nothing but to tell the Mount which connection it is.
func (c *conn) Datasync() experimental.Errno {
	c.mount.polled = c
	return c.use()
}

// Sync does nothing.
func (c *conn) Sync() experimental.Errno { return c.use() }

// SetAppend is EINVAL.
func (c *conn) SetAppend(bool) experimental.Errno { return experimental.EINVAL }

// Pread is ESPIPE, as is every other use of an offset.
func (c *conn) Pread([]byte, int64) (int, experimental.Errno) { return 0, c.spipe() }

// Pwrite is ESPIPE.
func (c *conn) Pwrite([]byte, int64) (int, experimental.Errno) { return 0, c.spipe() }

// Seek is ESPIPE.
func (c *conn) Seek(position, int) (position, experimental.Errno) { return 0, c.spipe() }

// Truncate is EINVAL.
func (c *conn) Truncate(int64) experimental.Errno { return c.refuse(experimental.EINVAL) }

func (c *conn) spipe() experimental.Errno {
	c.mount.errno = c.refuse(errno.ESPIPE)
	return c.mount.errno
}

// Close ends the connection.
func (c *conn) Close() experimental.Errno {
	if !c.closed {
		c.net.Close()
		c.unwatch()
	}
	return c.descriptor.Close()
}
