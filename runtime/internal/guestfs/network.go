package guestfs

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/dial"
	"github.com/wasmagent/wasmagent/runtime/internal/errno"
)

// A network is what is at /dev: opening a file connects.
type network struct {
	fixed
	mount  *Mount
	dialer dial.Dialer
}

func newNetwork(d dial.Dialer) device {
	return func(m *Mount, _ string) (experimental.FS, error) { return &network{mount: m, dialer: d}, nil }
}

// OpenFile makes a connection, or reads what there is to say of a peer.
func (n *network) OpenFile(path string, flag experimental.Oflag, _ fs.FileMode) (experimental.File, experimental.Errno) {
	target, err := dial.Parse(path)
	switch {
	case err != nil:
		return nil, n.mount.refuse(err.Error(), experimental.ENOENT) // it may be a refused address in disguise
	case flag&experimental.O_DIRECTORY != 0:
		return nil, experimental.ENOTDIR
	case n.mount.Full():
		return nil, experimental.EAGAIN
	case target.Peer:
		return n.peer(target, flag)
	}
	ctx, cancel := n.mount.patient()
	defer cancel()
	c, err := n.dialer.Dial(ctx, target, n.rule)
	if err != nil {
		return nil, n.fails(err)
	}
	return newConn(n.mount, c, target.Network == dial.UDP), 0
}

// patient is a context of the run for what waits for a peer; see newConn.
func (m *Mount) patient() (context.Context, context.CancelFunc) {
	if m.patience.IsZero() {
		return context.WithCancel(m.run.Context)
	}
	return context.WithDeadline(m.run.Context, m.patience)
}

// peer opens the document about the other end of a TLS connection.
func (n *network) peer(target dial.Target, flag experimental.Oflag) (experimental.File, experimental.Errno) {
	if flag&writes != 0 {
		return nil, experimental.EROFS
	}
	ctx, cancel := n.mount.patient()
	defer cancel()
	data, err := n.dialer.Peer(ctx, target, n.rule)
	if err == nil {
		err = n.mount.keep(data)
	}
	if err != nil {
		return nil, n.fails(err)
	}
	stat := sys.Stat_t{Dev: deviceNumber, Mode: 0o444, Nlink: 1, Size: int64(len(data))}
	return &content{descriptor: n.mount.descriptor(stat), data: data, document: true}, 0
}

// fails answers why there is no connection. The end of the run ends it here.
func (n *network) fails(err error) experimental.Errno {
	n.mount.run.Alive()
	if errors.Is(err, dial.ErrNotAllowed) {
		return n.mount.refuse(err.Error(), experimental.EACCES)
	}
	n.mount.why = err.Error()
	for _, known := range dialErrors {
		if errors.Is(err, known.err) {
			return known.errno
		}
	}
	return experimental.EIO
}

// dialErrors are the errors that a guest can tell apart.
var dialErrors = []struct {
	err   error
	errno experimental.Errno
}{
	{dial.ErrNoHost, errno.ENXIO}, // not ENOENT, which is what was not granted
	{dial.ErrConnectionRefused, errno.ECONNREFUSED},
	{dial.ErrTimeout, errno.ETIMEDOUT},
	{dial.ErrUnreachable, errno.EHOSTUNREACH},
	{dial.ErrCertificate, errno.EPROTO},
	{dial.ErrHandshake, errno.EPROTO},
}

// rule tells whether an address may be dialled for the path that is being opened.
func (n *network) rule(addr netip.AddrPort, own bool) error {
	return n.mount.access.AllowsAddress(n.mount.name, addr.Addr(), own)
}

// Stat describes a name that could be opened, without connecting.
func (n *network) Stat(path string) (sys.Stat_t, experimental.Errno) {
	if _, err := dial.Parse(path); err != nil {
		return sys.Stat_t{}, experimental.ENOENT
	}
	return sys.Stat_t{Dev: deviceNumber, Mode: fs.ModeDevice | fs.ModeCharDevice | 0o666, Nlink: 1}, 0
}

// Lstat is Stat.
func (n *network) Lstat(path string) (sys.Stat_t, experimental.Errno) { return n.Stat(path) }
