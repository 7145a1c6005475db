//go:build linux

package requests

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"strings"
	"time"
)

// nrpeTLS is what check_nrpe of Debian 12 offers, of what crypto/tls has. It verifies
// no certificate either.
var nrpeTLS = &tls.Config{
	InsecureSkipVerify: true,
	MinVersion:         tls.VersionTLS12,
	CurvePreferences:   []tls.CurveID{tls.X25519, tls.CurveP256},
	ClientSessionCache: forgetful{},
}

// A forgetful client takes sessions that it could resume, which changes when a server
// sends them, and resumes none.
type forgetful struct{}

func (forgetful) Get(string) (*tls.ClientSessionState, bool) { return nil, false }
func (forgetful) Put(string, *tls.ClientSessionState)        {}

// askTime is the longest that a request may take.
const askTime = 30 * time.Second

// A packet of version 4: version, type, checksum, result, padding, length, and a text
// that ends with a NUL. https://github.com/NagiosEnterprises/nrpe, include/common.h.in
const (
	packetHead  = 16
	packetText  = 1020 // of every request that is not longer
	maxAnswer   = 64 << 10
	typeRequest = 1
	typeAnswer  = 2
)

// nrpe is a client that asks as check_nrpe does: a new connection for each request, TLS
// without resuming, and Nagle's algorithm left on.
func nrpe(address, command string) func() error {
	request := make([]byte, packetHead+packetText)
	binary.BigEndian.PutUint16(request, 4)
	binary.BigEndian.PutUint16(request[2:], typeRequest)
	binary.BigEndian.PutUint32(request[12:], packetText)
	copy(request[packetHead:packetHead+packetText-1], command)
	binary.BigEndian.PutUint32(request[4:], crc32.ChecksumIEEE(request))
	return func() error {
		socket, err := net.DialTimeout("tcp", address, askTime)
		if err != nil {
			return err
		}
		defer socket.Close()
		socket.SetDeadline(time.Now().Add(askTime))
		socket.(*net.TCPConn).SetNoDelay(false)
		secured := tls.Client(socket, nrpeTLS)
		if _, err := secured.Write(request); err != nil {
			return err
		}
		defer secured.Close()
		return answered(secured)
	}
}

// answered reads an answer, which has to be an OK.
func answered(r io.Reader) error {
	packet := make([]byte, packetHead, packetHead+packetText)
	if _, err := io.ReadFull(r, packet); err != nil {
		return fmt.Errorf("the answer: %w", err)
	}
	length := binary.BigEndian.Uint32(packet[12:])
	if length > maxAnswer {
		return fmt.Errorf("the answer has a text of %d bytes", length)
	}
	packet = append(packet, make([]byte, length)...)
	if _, err := io.ReadFull(r, packet[packetHead:]); err != nil {
		return fmt.Errorf("the answer's text: %w", err)
	}
	said := binary.BigEndian.Uint32(packet[4:])
	clear(packet[4:8])
	if kind := binary.BigEndian.Uint16(packet[2:]); kind != typeAnswer || said != crc32.ChecksumIEEE(packet) {
		return errors.New("the answer is no packet of NRPE")
	}
	text, _, _ := strings.Cut(string(packet[packetHead:]), "\x00")
	return isOK(int(binary.BigEndian.Uint16(packet[8:])), text)
}

// isOK is the error of an answer that is not the one that all checks give.
func isOK(state int, text string) error {
	if state != 0 || !strings.Contains(text, "OK") {
		return fmt.Errorf("the answer is %d %q", state, text)
	}
	return nil
}
