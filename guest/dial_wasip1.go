package guest

import (
	"context"
	"net"
	"os"
	"syscall"
)

// inAgent tells that the program runs in the agent, not as a plugin of its own.
const inAgent = true

// dial opens the file that is the connection.
func dial(_ context.Context, network, host, port string) (net.Conn, error) {
	path := device(network, host, port)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, Explain(path, err)
	}
	defer f.Close() // the connection has a descriptor of its own
	conn, err := net.FileConn(f)
	return conn, Explain(path, err)
}

// words says what an error number means for a connection.
func words(err error) string {
	switch err {
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
	return document[Peer](device("tls", host, port) + "/peer")
}

func device(network, host, port string) string { return "/dev/" + network + "/" + host + "/" + port }
