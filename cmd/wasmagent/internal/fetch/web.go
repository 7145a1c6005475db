package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/wasmagent/wasmagent/trust"
)

// The bounds of what a server does before it sends the bytes.
const (
	maxRedirects = 5
	maxHeader    = 64 << 10         // bytes
	patience     = 30 * time.Second // for a connection, for its handshake and for an answer
)

// download gets a zip and its signature from a web server.
func (c Client) download(ctx context.Context, at *url.URL) (Parcel, error) {
	web := c.http(at.Scheme == "https")
	defer web.CloseIdleConnections()
	body, size, err := c.get(ctx, web, at)
	if err != nil {
		return Parcel{}, err
	}
	defer body.Close()
	var p Parcel
	if p.Archive, err = c.readAll(body, size); err == nil {
		p.signed(c.downloadSignature(ctx, web, at))
		err = ctx.Err()
	}
	return p, err
}

// downloadSignature gets up to one byte more than a signature has.
func (c Client) downloadSignature(ctx context.Context, web *http.Client, archive *url.URL) ([]byte, error) {
	at := *archive
	at.Path += trust.Extension
	if at.RawPath != "" {
		at.RawPath += trust.Extension
	}
	body, _, err := c.get(ctx, web, &at)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, trust.MaxSignature+1))
}

// get asks for what is at a URL, and returns its bytes to read with their number,
// which is -1 if the server does not say it.
func (c Client) get(ctx context.Context, web *http.Client, at *url.URL) (io.ReadCloser, int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("User-Agent", c.Name)
	resp, err := web.Do(req)
	if err != nil {
		return nil, 0, err
	}
	if err := checkStatus(resp); err != nil {
		resp.Body.Close()
		return nil, 0, err
	}
	return resp.Body, resp.ContentLength, nil
}

// checkStatus wants an answer with the whole of what was asked for. Storage
// services answer 403 for what is not there.
func checkStatus(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusNotFound, http.StatusGone, http.StatusForbidden:
		return absence(fmt.Sprintf("the server answers %.100s", resp.Status))
	}
	return fmt.Errorf("the server answers %.100s", resp.Status)
}

// http makes a client. A secure one sends nothing without TLS, whatever a server
// redirects it to.
func (c Client) http(secure bool) *http.Client {
	var way http.RoundTripper = &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: patience}).DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: c.Roots},
		TLSHandshakeTimeout:    patience,
		ResponseHeaderTimeout:  patience,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true, // a zip gains nothing, and the limit is on what is sent
		ForceAttemptHTTP2:      true,
	}
	if secure {
		way = encrypted{way}
	}
	return &http.Client{Transport: way, CheckRedirect: checkRedirect}
}

func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("the server redirects more than %d times", maxRedirects)
	}
	return nil
}

// errDowngrade is why a request is not sent.
var errDowngrade = errors.New("the server leads from https to one without TLS, which is not followed")

// An encrypted sends requests over TLS only.
type encrypted struct{ http.RoundTripper }

func (e encrypted) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" {
		return nil, errDowngrade
	}
	return e.RoundTripper.RoundTrip(req)
}

// CloseIdleConnections is what an http.Client looks for.
func (e encrypted) CloseIdleConnections() {
	(&http.Client{Transport: e.RoundTripper}).CloseIdleConnections()
}
