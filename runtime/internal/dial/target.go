package dial

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// The networks of a Target.
const (
	TCP = "tcp" // a stream
	TLS = "tls" // a stream inside TLS, the server verified
	UDP = "udp" // datagrams
)

// The longest host name in bytes and the longest label of one,
// https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4.
const (
	maxName  = 253
	maxLabel = 63
)

// A Target is what a path below /dev names. Make one with Parse.
type Target struct {
	// Network is TCP, TLS or UDP.
	Network string
	// Host is an IP address as netip.Addr.String writes it, or a host name.
	Host string
	// Port is not 0.
	Port uint16
	// Peer asks about the server instead of for a connection; only with TLS.
	Peer bool
}

// Parse reads a path below /dev: "tcp/HOST/PORT", "tls/HOST/PORT",
// "udp/HOST/PORT" or "tls/HOST/PORT/peer". Each target has one spelling, the one
// that String writes; whatever else the system would understand, such as
// "0x7f.1", is an error.
func Parse(path string) (Target, error) {
	if t, ok := parse(path); !ok {
		return Target{}, fmt.Errorf("%.80q names no connection; want tcp/HOST/PORT, tls/HOST/PORT, udp/HOST/PORT or tls/HOST/PORT/peer", path)
	} else if err := checkHost(t.Host); err != nil {
		return Target{}, fmt.Errorf("host %.80q %w", t.Host, err)
	} else if t.Port == 0 {
		return Target{}, fmt.Errorf("the port in %.80q is no number from 1 to 65535 in its shortest form", path)
	} else {
		return t, nil
	}
}

// parse takes a path apart. A port that is not canonical becomes 0.
func parse(path string) (t Target, ok bool) {
	parts := strings.SplitN(path, "/", 5)
	switch {
	case len(parts) == 4 && parts[0] == TLS && parts[3] == "peer":
		t.Peer = true
	case len(parts) != 3 || parts[0] != TCP && parts[0] != TLS && parts[0] != UDP:
		return Target{}, false
	}
	t.Network, t.Host = parts[0], parts[1]
	if port, err := strconv.ParseUint(parts[2], 10, 16); err == nil && strconv.FormatUint(port, 10) == parts[2] {
		t.Port = uint16(port)
	}
	return t, true
}

// checkHost says what is wrong with a host.
func checkHost(host string) error {
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return checkName(host)
	case addr.Zone() != "":
		return errors.New("has a zone; leave it out")
	case addr.Unmap().String() != host:
		return fmt.Errorf("is not in its shortest form; write %s", addr.Unmap())
	}
	return nil
}

// checkName says what is wrong with a host name: the names of
// https://www.rfc-editor.org/rfc/rfc1123#section-2.1 in lower case, "_" too, for
// there are such names.
func checkName(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("is not of 1 to %d bytes", maxName)
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if err := checkLabel(label); err != nil {
			return err
		}
	}
	if last := labels[len(labels)-1]; isNumber(last) {
		return fmt.Errorf("ends in the number %.20q and is no IP address in its usual form", last)
	}
	return nil
}

func checkLabel(label string) error {
	switch {
	case label == "" || len(label) > maxLabel:
		return fmt.Errorf("has a label that is not of 1 to %d bytes; a name neither begins nor ends with a dot", maxLabel)
	case strings.ContainsFunc(label, func(r rune) bool { return !isLetter(r) }):
		return errors.New(`holds something else than the lower-case letters a to z, digits, "-", "_" and "."; write other letters as the name's "xn--" form`)
	case label[0] == '-' || label[len(label)-1] == '-':
		return errors.New(`has a label that begins or ends with "-"`)
	}
	return nil
}

func isLetter(r rune) bool {
	return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '_'
}

// isNumber tells whether a name that ends in this label may be taken for an IPv4
// address by someone, https://url.spec.whatwg.org/#ends-in-a-number-checker.
func isNumber(label string) bool {
	digits, hex := strings.CutPrefix(label, "0x")
	if hex {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// String is the path below /dev.
func (t Target) String() string {
	path := t.Network + "/" + t.Host + "/" + strconv.Itoa(int(t.Port))
	if t.Peer {
		return path + "/peer"
	}
	return path
}
