package guest

import (
	"context"
	"net"
	"os"
	"syscall"
)

// inAgent tells that the program runs in the agent, not as a plugin of its own.
const inAgent = true

// dial opens the file that is the connection, without os.OpenFile: net.FileConn
// panics on what that returns.
func dial(_ context.Context, network, host, port string) (net.Conn, error) {
	path := device(network, host, port)
	fd, err := syscall.Open(path, syscall.O_RDWR, 0)
	if err != nil {
		return nil, Explain(path, err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		syscall.Close(fd)
		return nil, Explain(path, err)
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close() // the connection has a descriptor of its own
	conn, err := net.FileConn(f)
	return conn, Explain(path, err)
}

// words says what an error number means for a connection.
func words(err error) string {
	switch err {
	case syscall.ENXIO:
		return "no such host: no name server knows an address of it"
	case syscall.ECONNREFUSED:
		return "connection refused: nothing listens on that port"
	case syscall.EHOSTUNREACH, syscall.ENETUNREACH:
		return "the host cannot be reached"
	case syscall.ETIMEDOUT:
		return "no answer in time"
	case syscall.EPROTO:
		return "no TLS connection: the server does not speak TLS as it should, or its certificate is not trusted"
	}
	return err.Error()
}

// peer reads what the agent found out about a TLS server.
func peer(_ context.Context, host, port string) (Peer, error) {
	path := device("tls", host, port) + "/peer"
	data, err := os.ReadFile(path)
	if err != nil {
		return Peer{}, Explain(path, err)
	}
	return decode[Peer](path, data)
}

func device(network, host, port string) string { return "/dev/" + network + "/" + host + "/" + port }
