package guest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Dial connects to an address, "HOST:PORT", over a network: "tcp", "tls" (the
// server's certificate is verified for HOST) or "udp" (each Write is one
// datagram). An IPv6 address is in brackets.
//
// In the agent this opens /dev/NETWORK/HOST/PORT, for which the module needs the
// permission: the agent looks the name up, connects and speaks TLS. An error that
// NotGranted matches says that it may not; any other is about the server. Opening
// holds the whole program up; ctx does not end that, but it does end, as ETIMEDOUT, a
// little before the limit on the run.
//
// The connection's deadline is that of ctx. CloseWrite of a TCP connection closes
// one half.
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := canonical(address)
	if err != nil {
		return nil, err
	}
	if network != "tcp" && network != "tls" && network != "udp" {
		return nil, fmt.Errorf("network %.20q: want tcp, tls or udp", network)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	conn, err := dial(ctx, network, host, port)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		err = conn.SetDeadline(deadline)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// canonical splits an address, and writes host and port in the one way in which
// grants and paths know them: a name in small letters without a dot at its end,
// an IP address in its shortest form.
func canonical(address string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(address)
	if err != nil {
		return "", "", fmt.Errorf("address %.100q: want HOST:PORT, an IPv6 address in brackets", address)
	}
	number, err := Port(port)
	if err != nil {
		return "", "", fmt.Errorf("address %.100q: %w", address, err)
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String(), strconv.Itoa(number), nil
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "" || strings.ContainsAny(host, "/\\\x00") {
		return "", "", fmt.Errorf("address %.100q: no host name", address)
	}
	return host, strconv.Itoa(number), nil
}
