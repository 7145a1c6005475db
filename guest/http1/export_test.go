package http1

import (
	"io"
	"time"
)

// ReadAnswer reads an answer that is there already.
func ReadAnswer(r io.Reader, method string, limit int64) (*Answer, error) {
	a := new(Answer)
	return a, a.read(r, method, limit, time.Now())
}
