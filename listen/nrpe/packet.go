package nrpe

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/wasmagent/wasmagent/check"
)

// A version is one of the protocol.
type version uint16

// The versions that are spoken. check_nrpe sends the last one since 4.0, and asks
// again with the first one if it gets no answer.
const (
	v2 version = 2
	v3 version = 3
	v4 version = 4
)

// A packet begins with its version (2 bytes, big-endian as all numbers), its type
// (2), its checksum (4), and the result (2).
//
//   - Version 2 goes on with a text of 1024 bytes that ends at the first NUL, and 2
//     bytes of padding. NSClient++ and check_nrpe -P can be told of another size, in
//     which the answer then is as well. Nothing in the packet says so.
//   - Versions 3 and 4 go on with 2 bytes of padding, the length of the text (4) and
//     that text, which ends at the first NUL. In version 3 there are 3 bytes more.
//
// The checksum is the CRC-32 of the whole, with zeros in its own place.
const (
	headSize   = 10
	sizeV2     = 1036
	paddingV2  = 2
	lengthSize = 6
	extraV3    = 3
	maxText    = 64 << 10

	typeQuery    = 1
	typeResponse = 2
)

// A query is a request as far as it could be read.
type query struct {
	version version // the one to answer in
	size    int     // the same, of a packet of version 2
	text    string
}

// readQuery reads a request. io.EOF is that there is none; all other errors are for
// the peer. It calls hurry if it may be at the end of the packet without knowing it.
func readQuery(r io.Reader, hurry func()) (query, error) {
	q := query{version: v2, size: sizeV2}
	head := make([]byte, headSize, sizeV2)
	if n, err := io.ReadFull(r, head); err != nil {
		return q, cutShort(n)
	}
	var packet, text []byte
	var err error
	switch version(binary.BigEndian.Uint16(head)) {
	case v2:
		packet, err = readV2(r, head, hurry)
		q.size, text = max(len(packet), sizeV2), packet[headSize:max(headSize, len(packet)-paddingV2)]
	case v3:
		q.version = v3
		packet, text, err = readSized(r, head, extraV3)
	case v4:
		q.version = v4
		packet, text, err = readSized(r, head, 0)
	default:
		err = fmt.Errorf("the request is of version %d; versions 2, 3 and 4 are spoken", binary.BigEndian.Uint16(head))
	}
	if err != nil {
		return q, err
	}
	q.text, err = verify(packet, text)
	return q, err
}

// readV2 reads the rest of a packet of version 2. One of the usual size whose checksum
// is wrong may be the beginning of a larger one: of that the checksum is right.
func readV2(r io.Reader, head []byte, hurry func()) ([]byte, error) {
	usual, err := readMore(r, head, sizeV2-headSize)
	if err != nil || crc(usual) == binary.BigEndian.Uint32(usual[4:]) {
		return usual, err
	}
	hurry()
	if larger, ok := readUntilSound(r, usual); ok {
		return larger, nil
	}
	return usual, nil
}

// readUntilSound reads on until the checksum of a packet is right, byte by byte, so that
// it does not matter in what pieces they come.
func readUntilSound(r io.Reader, packet []byte) (_ []byte, ok bool) {
	said, sum := binary.BigEndian.Uint32(packet[4:]), crc(packet)
	in := bufio.NewReader(io.LimitReader(r, int64(maxText-len(packet))))
	for {
		b, err := in.ReadByte()
		if err != nil {
			return nil, false
		}
		packet = append(packet, b)
		if sum = crc32.Update(sum, crc32.IEEETable, packet[len(packet)-1:]); sum == said {
			return packet, true
		}
	}
}

// readSized reads the rest of a packet that says how long its text is.
func readSized(r io.Reader, head []byte, extra int) (packet, text []byte, err error) {
	packet, err = readMore(r, head, lengthSize)
	if err != nil {
		return nil, nil, err
	}
	length := binary.BigEndian.Uint32(packet[headSize+2:])
	if length > maxText {
		return nil, nil, fmt.Errorf("the request says that it is %d bytes long; %d is the limit", length, maxText)
	}
	start := len(packet)
	packet, err = readMore(r, packet, int(length)+extra)
	if err != nil {
		return nil, nil, err
	}
	clear(packet[headSize : headSize+2]) // the padding counts as zeros for the checksum
	return packet, packet[start : start+int(length)], nil
}

// readMore adds n bytes to what was read. Memory grows with what arrives.
func readMore(r io.Reader, sofar []byte, n int) ([]byte, error) {
	b := bytes.NewBuffer(sofar)
	if _, err := io.CopyN(b, r, int64(n)); err != nil {
		return sofar, cutShort(b.Len())
	}
	return b.Bytes(), nil
}

// cutShort is the error of a packet of which no more than n bytes came.
func cutShort(n int) error {
	if n == 0 {
		return io.EOF
	}
	return fmt.Errorf("the request ends after %d bytes", n)
}

// verify returns the text of a packet that is what it should be.
func verify(packet, text []byte) (string, error) {
	if kind := binary.BigEndian.Uint16(packet[2:]); kind != typeQuery {
		return "", fmt.Errorf("the packet is of type %d; a request is of type %d", kind, typeQuery)
	}
	if said, sum := binary.BigEndian.Uint32(packet[4:]), crc(packet); sum != said {
		return "", fmt.Errorf("the request's checksum is %08x, and it should be %08x; its sender means another size of packet, or the network damaged it", said, sum)
	}
	text, _, ended := bytes.Cut(text, []byte{0})
	if !ended {
		return "", errors.New("the request's text does not end with a NUL")
	}
	return string(text), nil
}

// crc is the checksum of a packet, with zeros in the place of its own.
func crc(packet []byte) uint32 {
	sum := crc32.ChecksumIEEE(packet[:4])
	sum = crc32.Update(sum, crc32.IEEETable, make([]byte, 4))
	return crc32.Update(sum, crc32.IEEETable, packet[8:])
}

// answer makes the packet of a result.
func (q query) answer(r check.Result) []byte {
	if q.version == v2 {
		return q.version.seal(r, q.size, headSize, fit(r, q.size-headSize-paddingV2-1))
	}
	text := fit(r, maxText-1)
	size := headSize + lengthSize + len(text) + 1
	if q.version == v3 {
		size += extraV3
	}
	return q.version.seal(r, size, headSize+lengthSize, text)
}

// seal makes a packet of a size, with its text at an offset.
func (v version) seal(r check.Result, size, offset int, text string) []byte {
	p := make([]byte, size)
	binary.BigEndian.PutUint16(p, uint16(v))
	binary.BigEndian.PutUint16(p[2:], typeResponse)
	binary.BigEndian.PutUint16(p[8:], uint16(r.State.ExitStatus()))
	if v != v2 {
		binary.BigEndian.PutUint32(p[headSize+2:], uint32(len(text)+1))
	}
	copy(p[offset:], text)
	binary.BigEndian.PutUint32(p[4:], crc32.ChecksumIEEE(p))
	return p
}
