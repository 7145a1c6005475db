package dial

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// headStart is how long an address may take before the next one is tried beside it,
// https://www.rfc-editor.org/rfc/rfc8305#section-5.
const headStart = 250 * time.Millisecond

// A failure is an address without a connection.
type failure struct {
	addr netip.AddrPort
	err  error
}

// race tries addresses in their order, each when the one before it has failed or
// had its head start, and returns the first connection, or why there is none.
func race(ctx context.Context, addrs []netip.AddrPort, open func(context.Context, netip.AddrPort) (net.Conn, error)) (winner net.Conn, failed []failure) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type attempt struct {
		failure
		conn net.Conn
	}
	attempts := make(chan attempt)
	turn := time.NewTimer(0)
	defer turn.Stop()
	for running := 0; running > 0 || winner == nil && len(addrs) > 0; {
		select {
		case <-turn.C:
			if winner != nil || len(addrs) == 0 {
				continue
			}
			addr := addrs[0]
			addrs = addrs[1:]
			running++
			go func() {
				conn, err := open(ctx, addr)
				attempts <- attempt{failure{addr, err}, conn}
			}()
			turn.Reset(headStart)
		case a := <-attempts:
			running--
			switch {
			case a.err != nil:
				failed = append(failed, a.failure)
				turn.Reset(0)
			case winner != nil:
				a.conn.Close()
			default:
				winner = a.conn
				cancel()
			}
		}
	}
	return winner, failed
}
