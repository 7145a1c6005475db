// Package http1 asks a web server one thing: a request of HTTP/1.1 over a
// connection of its own, and the whole answer.
//
// It is for checks, where net/http would make a program more than twice as large;
// package guesthttp is for those that need all of net/http. Nothing is followed, kept,
// unpacked or sent again: a redirect is an answer like any other. The server is
// not trusted: what is read of an answer is bounded, and the context's deadline
// ends whatever waits.
//
// https://www.rfc-editor.org/rfc/rfc9112
package http1

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/guest"
)

// A Request is what a server is asked. It may be asked again, and from several
// goroutines.
type Request struct {
	// Method is such as "POST"; empty is GET.
	Method string
	// URL is what is asked for, by http or https. Its user and its fragment are
	// not sent.
	URL *url.URL
	// Address is the "HOST:PORT" to connect to. Empty is that of the URL.
	Address string
	// Header is sent beside Host, Connection and Content-Length, of which it may
	// replace the first.
	Header textproto.MIMEHeader
	// Body is sent after the header.
	Body string
	// Limit is the most bytes of an answer, its header included; 0 is DefaultLimit.
	// A larger answer is an error.
	Limit int64
}

// DefaultLimit is the most bytes of an answer where nothing else is said.
const DefaultLimit = 8 << 20

// Do connects, asks and reads the answer. An error that guest.NotGranted matches
// says that the program may not connect; any other is about the server.
func (r Request) Do(ctx context.Context) (*Answer, error) {
	message, err := r.message()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	conn, err := guest.Dial(ctx, r.network(), r.address())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	a := &Answer{Connect: time.Since(start)}
	if _, err := io.WriteString(conn, message); err != nil {
		return nil, fmt.Errorf("sending to %s: %w", r.address(), err)
	}
	if err := a.read(conn, r.Method, cmp.Or(r.Limit, DefaultLimit), start); err != nil {
		return nil, fmt.Errorf("reading from %s: %w", r.address(), err)
	}
	return a, nil
}

// network is what to dial.
func (r Request) network() string {
	if r.URL.Scheme == "https" {
		return "tls"
	}
	return "tcp"
}

func (r Request) address() string {
	port := map[string]string{"http": "80", "https": "443"}[r.URL.Scheme]
	return cmp.Or(r.Address, net.JoinHostPort(r.URL.Hostname(), cmp.Or(r.URL.Port(), port)))
}

// message is the request as it is sent.
func (r Request) message() (string, error) {
	if r.URL.Scheme != "http" && r.URL.Scheme != "https" {
		return "", fmt.Errorf("address %.100q: want http:// or https://", r.URL.Redacted())
	}
	header := textproto.MIMEHeader{"Host": {r.URL.Host}, "User-Agent": {"wasmagent"}}
	maps.Copy(header, r.Header)
	header.Set("Connection", "close")
	if r.Body != "" {
		header.Set("Content-Length", fmt.Sprint(len(r.Body)))
	}
	lines := []string{fmt.Sprintf("%s %s HTTP/1.1", cmp.Or(r.Method, "GET"), r.URL.RequestURI())}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			lines = append(lines, name+": "+value)
		}
	}
	for _, line := range lines {
		if strings.ContainsAny(line, "\r\n\x00") {
			return "", fmt.Errorf("the line %.100q of the request holds a line end", line)
		}
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + r.Body, nil
}
