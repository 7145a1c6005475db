package http1

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// An Answer is what a server has said.
type Answer struct {
	// Line is the first line, such as "HTTP/1.1 200 OK".
	Line string
	// Status is the number in it; 0 if the line is not one of HTTP/1, and then Body
	// is everything that follows the line.
	Status int
	// Header has the names in their canonical form, such as "Content-Type".
	Header textproto.MIMEHeader
	// Body is the content, the chunks put together.
	Body []byte
	// Size is how many bytes the whole answer took.
	Size int64
	// Connect, FirstByte and Total are the times from the start to the connection, to
	// the first byte of the answer and to its last.
	Connect, FirstByte, Total time.Duration
}

// Location is where a redirect leads; nil if it says nowhere.
func (a *Answer) Location(from *url.URL) (*url.URL, error) {
	location := a.Header.Get("Location")
	if location == "" {
		return nil, nil
	}
	to, err := from.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("the redirect to %.200q leads nowhere: %w", location, err)
	}
	return to, nil
}

// read reads the answer to a request of some method.
func (a *Answer) read(conn io.Reader, method string, limit int64, start time.Time) error {
	bounded := &io.LimitedReader{R: conn, N: limit + 1}
	text := textproto.NewReader(bufio.NewReader(bounded))
	_, err := text.R.Peek(1)
	a.FirstByte = time.Since(start)
	if errors.Is(err, io.EOF) {
		return errors.New("no data received")
	}
	if err == nil {
		err = a.parse(text, method)
	}
	a.Total, a.Size = time.Since(start), limit+1-bounded.N-int64(text.R.Buffered())
	if bounded.N <= 0 {
		return fmt.Errorf("the answer has more than %d bytes", limit)
	}
	return err
}

// parse reads the line, the header and the body. Answers before the one that
// counts, such as 100 Continue, are skipped.
func (a *Answer) parse(text *textproto.Reader, method string) (err error) {
	for a.Status = 100; a.Status >= 100 && a.Status < 200 && a.Status != 101; {
		if a.Line, err = text.ReadLine(); err != nil {
			return unexpected(err)
		}
		if a.Status = status(a.Line); a.Status == 0 {
			a.Body, err = io.ReadAll(text.R)
			return err
		}
		if a.Header, err = text.ReadMIMEHeader(); err != nil {
			return unexpected(err)
		}
	}
	if method == "HEAD" || a.Status == 101 || a.Status == 204 || a.Status == 304 {
		return nil
	}
	a.Body, err = body(text.R, a.Header)
	return err
}

// status is the number in a status line, 0 if it is none of HTTP/1.
func status(line string) int {
	version, rest, _ := strings.Cut(line, " ")
	number, _, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseUint(number, 10, 0)
	if err != nil || len(number) != 3 || n < 100 || n > 599 || !strings.HasPrefix(version, "HTTP/1.") {
		return 0
	}
	return int(n)
}

// body reads what the header says that follows.
func body(r *bufio.Reader, header textproto.MIMEHeader) ([]byte, error) {
	if codings := header.Values("Transfer-Encoding"); len(codings) > 0 {
		if len(codings) > 1 || !strings.EqualFold(codings[0], "chunked") {
			return nil, fmt.Errorf("the answer has the unknown transfer coding %.60q", strings.Join(codings, ", "))
		}
		return chunks(r)
	}
	length := header.Get("Content-Length")
	if length == "" {
		return io.ReadAll(r)
	}
	n, err := strconv.ParseInt(length, 10, 64)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("the answer has the length %.60q, which is no number", length)
	}
	data, err := io.ReadAll(io.LimitReader(r, n))
	if err == nil && int64(len(data)) < n {
		err = fmt.Errorf("the answer ended after %d of %d bytes", len(data), n)
	}
	return data, err
}

// chunks reads a body in chunks and the fields after it,
// https://www.rfc-editor.org/rfc/rfc9112#section-7.1.
func chunks(r *bufio.Reader) (body []byte, err error) {
	text := textproto.NewReader(r)
	for {
		line, err := text.ReadLine()
		if err != nil {
			return body, unexpected(err)
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 31)
		if err != nil {
			return body, fmt.Errorf("the answer has a chunk of the size %.60q, which is no number", size)
		}
		if n == 0 {
			_, err := text.ReadMIMEHeader()
			return body, unexpected(err)
		}
		data, err := io.ReadAll(io.LimitReader(r, int64(n)))
		body = append(body, data...)
		if err != nil {
			return body, err
		}
		if line, err := text.ReadLine(); err != nil || line != "" {
			return body, fmt.Errorf("the answer has a chunk that does not end after its %d bytes", n)
		}
	}
}

// unexpected makes an error of the end.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
