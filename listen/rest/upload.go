package rest

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode"
)

// zipTypes are the content types of a zip: of those who say so, of those who do
// not know, and of curl.
var zipTypes = [...]string{"application/zip", "application/x-zip-compressed", "application/octet-stream", "application/x-www-form-urlencoded"}

// SignatureHeader has the minisign signature of an uploaded zip: the file
// NAME.zip.minisig in base64.
const SignatureHeader = "Wasmagent-Signature"

// upload hands the body to Config.Upload as it comes.
func (a *api) upload(q *request) http.Handler {
	if refusal := q.wants(zipTypes[:]...); refusal != nil {
		return refusal
	}
	name := strings.TrimSuffix(q.vars["module"], ".zip")
	what := "upload " + name
	if err := checkName(name); err != nil {
		a.audit(q, Action{Name: "upload", Module: name, Err: err})
		return q.outcome(what, err)
	}
	digest, err := a.receive(q, name)
	a.audit(q, Action{Name: "upload", Module: name, Digest: digest, Err: err})
	return q.outcome(what, err)
}

// receive gives the zip to Upload, and tells its digest if all of it was read.
func (a *api) receive(q *request, name string) (digest string, err error) {
	if q.ContentLength > a.UploadSize {
		return "", a.tooLarge()
	}
	signature, err := q.signature()
	if err != nil {
		return "", err
	}
	body := &uploaded{from: q.Body, digest: sha256.New()}
	err = a.Upload(q.Context(), name, body, signature)
	var large *http.MaxBytesError
	switch {
	case errors.As(body.err, &large):
		err = a.tooLarge()
	case err != nil && body.err != nil && body.err != io.EOF: // the zip is not at fault
		err = &Refusal{http.StatusBadRequest, fmt.Errorf("the zip did not arrive whole: %w", body.err)}
	}
	if body.err == io.EOF {
		digest = hex.EncodeToString(body.digest.Sum(nil))
	}
	return digest, err
}

func (q *request) signature() ([]byte, error) {
	text := q.Header.Get(SignatureHeader)
	if text == "" {
		return nil, nil
	}
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, &Refusal{http.StatusBadRequest, fmt.Errorf("%s: %w; want the .minisig file in base64, on one line", SignatureHeader, err)}
	}
	return signature, nil
}

func (a *api) tooLarge() error {
	return &Refusal{http.StatusRequestEntityTooLarge, fmt.Errorf("the zip is larger than %d bytes", a.UploadSize)}
}

// uploaded is a body that remembers its digest and how it ended.
type uploaded struct {
	from   io.Reader
	digest hash.Hash
	err    error
}

func (u *uploaded) Read(p []byte) (int, error) {
	n, err := u.from.Read(p)
	u.digest.Write(p[:n])
	u.err = cmp.Or(u.err, err)
	return n, err
}

// wants refuses a body whose content type is another one; one without says
// nothing.
func (q *request) wants(types ...string) (refusal http.Handler) {
	said := q.Header.Get("Content-Type")
	if name, _, err := mime.ParseMediaType(said); said == "" || err == nil && slices.Contains(types, name) {
		return nil
	}
	return with(problem(http.StatusUnsupportedMediaType, "content type %q: send the body as %s", said, types[0]), "Accept", strings.Join(types, ", "))
}

// checkName refuses what cannot be the name of a module's file.
func checkName(name string) error {
	odd := func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(`/\:*?"<>|`, r) }
	if name == "" || len(name) > 200 || name[0] == '.' || strings.ContainsFunc(name, odd) {
		return &Refusal{http.StatusBadRequest, fmt.Errorf("module %.40q: want a name of letters, digits, dots, dashes and underscores", name)}
	}
	return nil
}
