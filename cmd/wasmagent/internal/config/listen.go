package config

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/wasmagent/wasmagent/access"
)

// TLS is the certificate that every listener shows; without one it is that of the
// host key.
type TLS struct {
	// Certificate and Key are files in PEM.
	Certificate string `toml:"certificate"`
	Key         string `toml:"key"`
}

// Bounds are those of every listener; zeros are the defaults of package listen.
type Bounds struct {
	// Connections are the most that are open at one time, and Requests those that are
	// being answered.
	Connections int `toml:"connections"`
	Requests    int `toml:"requests"`
	// PeerConnections and PeerRequests are the same of one peer, and PeerRate is how
	// many requests it may send in a second.
	PeerConnections int `toml:"peer_connections"`
	PeerRequests    int `toml:"peer_requests"`
	PeerRate        int `toml:"peer_rate"`
	// RequestTime is how long a request may take to arrive, IdleTime how long a
	// connection is kept open between two, and WriteTime how long a peer may take to
	// read a piece of an answer.
	RequestTime time.Duration `toml:"request_time"`
	IdleTime    time.Duration `toml:"idle_time"`
	WriteTime   time.Duration `toml:"write_time"`
}

// A Listener is where one protocol is spoken, and to whom.
type Listener struct {
	// Addresses are where it listens; none is off.
	Addresses Addresses `toml:"listen"`
	// TLS is whether it is spoken inside TLS.
	TLS bool `toml:"tls"`
	// ClientCA are the authorities of the certificates that clients have to show;
	// zero asks for none.
	ClientCA CA `toml:"client_ca"`
	// AllowedHosts are the addresses, ranges and names of those who may connect.
	AllowedHosts Hosts `toml:"allowed_hosts"`
}

// Addresses are HOST:PORT each, as net.Listen takes them.
type Addresses []string

// Hosts are addresses, ranges of them and names of hosts.
type Hosts []string

// NRPE is the listener for check_nrpe.
type NRPE struct {
	Listener
	// AllowArguments is whether a request may have arguments.
	AllowArguments bool `toml:"allow_arguments"`
	// Commands are those that it answers.
	Commands access.Commands `toml:"commands"`
}

// REST is the listener of the REST API.
type REST struct{ Listener }

// Prometheus is the listener for scrapers.
type Prometheus struct {
	Listener
	// Anonymous lets whoever may connect read the metrics without logging in.
	Anonymous bool `toml:"anonymous"`
}

// localhost is who may connect where the file does not say.
func localhost() Hosts { return Hosts{"127.0.0.1", "::1"} }

// A speaker is a protocol with its table in the file.
type speaker struct {
	table string
	*Listener
}

func (c *Config) speakers() []speaker {
	return []speaker{{"nrpe", &c.NRPE.Listener}, {"prometheus", &c.Prometheus.Listener}, {"rest", &c.REST.Listener}}
}

// addresses decodes where a protocol is spoken.
func (d *decoder) addresses(at toml.Key, value any, dst *Addresses) {
	for _, text := range d.list(at, value, `addresses such as [":5666"]`, `an address such as ":5666" in quotes`) {
		if err := checkAddress(text); err != nil {
			d.Wrong(at, "%q is no address (%v); want HOST:PORT, such as \":5666\", \"127.0.0.1:5666\" or \"[::1]:5666\"", text, err)
			continue
		}
		*dst = append(*dst, text)
	}
}

func checkAddress(text string) error {
	host, port, err := net.SplitHostPort(text)
	if address := (*net.AddrError)(nil); errors.As(err, &address) {
		return errors.New(address.Err)
	}
	if strings.ContainsAny(host, " /\t*") {
		return fmt.Errorf("there is no host %q", host)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("there is no port %q", port)
	}
	return nil
}

// hosts decodes who may connect.
func (d *decoder) hosts(at toml.Key, value any, dst *Hosts) {
	before := d.Mistakes()
	*dst = d.list(at, value, `addresses such as ["127.0.0.1", "10.0.0.0/8"]`, "an address, a range or a name in quotes")
	if _, err := access.ParseHosts(*dst); err != nil {
		d.Each(at, err)
	}
	if len(*dst) == 0 && d.Mistakes() == before {
		d.Wrong(at, `lets nobody connect; name somebody, or remove listen`)
	}
}

// commands decodes patterns of the names of commands.
func (d *decoder) commands(at toml.Key, value any, dst *access.Commands) {
	*dst = d.list(at, value, `patterns such as ["check_*"]`, "a pattern in quotes")
	if err := dst.Check(); err != nil {
		d.Each(at, err)
	}
}

// whole checks what concerns several tables.
func (d *decoder) whole(c *Config) {
	if c.OTLP.CA.File == "" {
		c.OTLP.CA = c.CA
	}
	if (c.TLS.Certificate == "") != (c.TLS.Key == "") {
		d.Wrong(toml.Key{"tls"}, "certificate and key belong together; set both or none")
	}
	taken := map[string]string{}
	for _, s := range c.speakers() {
		if s.ClientCA.File != "" && !s.TLS {
			d.Wrong(toml.Key{s.table, "client_ca"}, "takes tls = true")
		}
		for _, address := range s.Addresses {
			if other, twice := taken[address]; twice && !strings.HasSuffix(address, ":0") {
				d.Wrong(toml.Key{s.table, "listen"}, "%q is taken by [%s] already", address, other)
			}
			taken[address] = s.table
		}
	}
}
