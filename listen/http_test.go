package listen_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/internal/tlstest"
	"github.com/wasmagent/wasmagent/listen"
)

// answering serves one text.
func answering(text string) listen.HTTP {
	return listen.HTTP{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) })}
}

// client is a client of its own connections.
func client(t *testing.T, c *tls.Config, http2 bool) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: http2}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	cert, pool := tlstest.Certificate(t)
	handler := listen.HTTP{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })}
	secured := open(t, listen.Settings{Handler: handler, TLS: &tls.Config{Certificates: []tls.Certificate{cert}}})
	plain := open(t, listen.Settings{Handler: handler})
	for _, row := range []struct {
		url   string
		http2 bool
		want  string
	}{
		{"https://" + secured.Addr().String(), true, "HTTP/2.0"},
		{"https://" + secured.Addr().String(), false, "HTTP/1.1"},
		{"http://" + plain.Addr().String(), true, "HTTP/1.1"},
	} {
		c := client(t, &tls.Config{RootCAs: pool}, row.http2)
		for range 3 {
			if got, err := get(c, row.url); err != nil || got != row.want {
				t.Errorf("%s: %q, %v; want %q", row.url, got, err, row.want)
			}
		}
	}
	response, err := http.Get("http://" + secured.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "speaks TLS") {
		t.Errorf("without TLS it is %s: %s", response.Status, text)
	}
}

// get returns the body of an answer of 200.
func get(c *http.Client, url string) (string, error) {
	response, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return string(text), err
}

// TestSetUnderLoad changes everything a hundred times while clients ask, over
// connections that are kept and over new ones. Not one request may fail.
func TestSetUnderLoad(t *testing.T) {
	t.Parallel()
	cert, pool := tlstest.Certificate(t)
	settings := func(n int) listen.Settings {
		return listen.Settings{
			Handler: answering(fmt.Sprint(n)), TLS: &tls.Config{Certificates: []tls.Certificate{cert}},
			Limits: listen.Limits{PeerRate: 1e6, Idle: time.Duration(n+1) * time.Minute}, Log: quiet,
			Allowed: func(context.Context, netip.Addr) bool { return true },
		}
	}
	l := open(t, settings(0))
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	var asked [3]int
	for i, row := range []struct{ http2, fresh bool }{{true, false}, {false, false}, {false, true}} {
		c := client(t, &tls.Config{RootCAs: pool}, row.http2)
		c.Transport.(*http.Transport).DisableKeepAlives = row.fresh
		clients.Go(func() {
			for ; ctx.Err() == nil; asked[i]++ {
				if _, err := post(c, "https://"+l.Addr().String()); err != nil {
					t.Errorf("request %d: %v", asked[i], err)
					return
				}
			}
		})
	}
	probe := client(t, &tls.Config{RootCAs: pool}, true)
	for n := range 100 {
		if err := l.Set(settings(n)); err != nil {
			t.Error(err)
		}
		if got, err := post(probe, "https://"+l.Addr().String()); err != nil || got != fmt.Sprint(n) {
			t.Errorf("after change %d: %q, %v", n, got, err)
		}
	}
	cancel()
	clients.Wait()
	t.Logf("requests with HTTP/2, HTTP/1.1 and new connections: %d", asked)
}

// post asks with a method that a client must not repeat by itself.
func post(c *http.Client, url string) (string, error) {
	response, err := c.Post(url, "text/plain", io.MultiReader(strings.NewReader("x")))
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return string(text), err
}

// TestSetDisallows asks over a connection whose peer is no longer allowed.
func TestSetDisallows(t *testing.T) {
	t.Parallel()
	l := open(t, listen.Settings{Handler: answering("yes")})
	c := client(t, nil, false)
	if got, err := get(c, "http://"+l.Addr().String()); err != nil || got != "yes" {
		t.Fatalf("%q, %v", got, err)
	}
	l.Set(listen.Settings{Handler: answering("yes"), Log: quiet, Allowed: func(context.Context, netip.Addr) bool { return false }})
	if got, err := get(c, "http://"+l.Addr().String()); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestHTTPBounds(t *testing.T) {
	t.Parallel()
	handler := listen.HTTP{MaxBody: 1000, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		}
	})}
	l := open(t, listen.Settings{Handler: handler})
	for _, row := range []struct{ request, want string }{
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "200"},
		{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + strings.Repeat("x", 1000), "200"},
		{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n" + strings.Repeat("x", 100000), "413"},
		{"GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", "431"},
		{"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("a: b\r\n", 1<<17) + "\r\n", "431"},
		{"\x00\x01junk\r\n\r\n", "400"},
	} {
		c := dial(t, l)
		go io.WriteString(c, row.request)
		answer := make([]byte, len("HTTP/1.1 200"))
		if _, err := io.ReadFull(c, answer); err != nil || !strings.HasSuffix(string(answer), row.want) {
			t.Errorf("%.40q: %q, %v; want %s", row.request, answer, err, row.want)
		}
		c.Close()
	}
}

// TestHTTPDrain closes a listener that has a connection kept open and a request
// in flight.
func TestHTTPDrain(t *testing.T) {
	t.Parallel()
	cert, pool := tlstest.Certificate(t)
	began, finish := make(chan struct{}), make(chan struct{})
	handler := listen.HTTP{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(began)
			<-finish
		}
		io.WriteString(w, "answer")
	})}
	l := open(t, listen.Settings{Handler: handler, TLS: &tls.Config{Certificates: []tls.Certificate{cert}}})
	url := "https://" + l.Addr().String()
	for _, http2 := range []bool{false, true} {
		if _, err := get(client(t, &tls.Config{RootCAs: pool}, http2), url); err != nil {
			t.Error(err)
		}
	}
	var asking sync.WaitGroup
	asking.Go(func() {
		if got, err := get(client(t, &tls.Config{RootCAs: pool}, true), url+"/slow"); err != nil || got != "answer" {
			t.Errorf("%q, %v", got, err)
		}
	})
	<-began
	closed := make(chan error)
	go func() { closed <- l.Close(context.Background()) }()
	for err := error(nil); err == nil; { // until it no longer listens
		var c net.Conn
		if c, err = net.Dial("tcp", l.Addr().String()); err == nil {
			c.Close()
		}
	}
	close(finish)
	asking.Wait()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// TestStreamDrains closes a listener that has an answer which does not end by itself.
func TestStreamDrains(t *testing.T) {
	t.Parallel()
	cert, pool := tlstest.Certificate(t)
	handler := listen.HTTP{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "begin ")
		w.(http.Flusher).Flush()
		<-listen.Draining(r.Context())
		io.WriteString(w, "end")
	})}
	l := open(t, listen.Settings{Handler: handler, TLS: &tls.Config{Certificates: []tls.Certificate{cert}}})
	var streams []*http.Response
	for _, http2 := range []bool{false, true} {
		response, err := client(t, &tls.Config{RootCAs: pool}, http2).Get("https://" + l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		streams = append(streams, response)
	}
	closed := make(chan error)
	go func() { closed <- l.Close(context.Background()) }()
	for _, response := range streams {
		if text, err := io.ReadAll(response.Body); err != nil || string(text) != "begin end" {
			t.Errorf("%s: %q, %v", response.Proto, text, err)
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if listen.Draining(t.Context()) != nil {
		t.Error("a context of no request has a channel")
	}
}

func TestHTTPPanic(t *testing.T) {
	t.Parallel()
	var log logged
	l := open(t, listen.Settings{Log: log.logger(), Handler: listen.HTTP{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh no") })}})
	if _, err := get(client(t, nil, false), "http://"+l.Addr().String()+"/path"); err == nil {
		t.Error("a panic is an answer")
	}
	if !strings.Contains(log.String(), "oh no") || !strings.Contains(log.String(), "path=/path") {
		t.Errorf("the log says\n%s", &log)
	}
}

// TestAbandonedStream breaks the connection of a request of HTTP/2 that is in flight.
// The listener is not closed before the handler has returned.
func TestAbandonedStream(t *testing.T) {
	t.Parallel()
	cert, pool := tlstest.Certificate(t)
	began, returned := make(chan struct{}), make(chan struct{})
	handler := listen.HTTP{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		for range 100 {
			goruntime.Gosched()
		}
		close(returned)
	})}
	l := open(t, listen.Settings{Handler: handler, TLS: &tls.Config{Certificates: []tls.Certificate{cert}}})
	var conn net.Conn
	c := client(t, &tls.Config{RootCAs: pool}, true)
	c.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) {
		conn = dial(t, l)
		return conn, nil
	}
	go get(c, "https://"+l.Addr().String())
	<-began
	conn.Close()
	if err := l.Close(t.Context()); err != nil {
		t.Error(err)
	}
	select {
	case <-returned:
	default:
		t.Error("the handler is still running")
	}
}
