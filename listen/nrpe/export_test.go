package nrpe

import (
	"io"

	"github.com/wasmagent/wasmagent/check"
)

// Fit is fit, which the tests of this package cut many outputs with.
var Fit = fit

// Answer reads a request and answers it with a result, or its error. It is nil if
// there is no request.
func Answer(request io.Reader, r check.Result) []byte {
	q, err := readQuery(request, func() {})
	if err == io.EOF {
		return nil
	}
	if err != nil {
		r = check.Unknown(err)
	}
	return q.answer(r)
}
