// Package fetch gets the bytes of a module and of its signature from where they
// are published: a file, an http or https URL, or an OCI registry. It publishes
// them to a registry as well.
//
// Guarantees: nothing of the bytes is parsed, so that whoever called can verify
// them first. Whoever serves them is hostile: the bytes, the manifest, headers
// and redirects are bounded, a connection that began with TLS stays with it, and
// a text from a server has no control characters. What a registry serves has the
// digest that its manifest says, and the manifest the digest that its reference
// says. A server is sent credentials only by package credentials' rules: those
// that docker's configuration has for this registry. Everything ends with its
// context.
//
// An Artifact of OCI is one layer with the zip, and one with the signature if there is
// one (https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md).
// The same bytes make the same manifest at every time.
//
// A Client holds no state; its methods are safe for concurrent use.
package fetch

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/trust"
)

// A Parcel is a module as it is sent: its bytes with those of its signature.
type Parcel struct {
	// Archive is the zip.
	Archive []byte
	// Signature is the file NAME.zip.minisig, of at most trust.MaxSignature
	// bytes; nil if there is none.
	Signature []byte
	// Unsigned is why there is no signature; it matches fs.ErrNotExist if there
	// is none where the zip is.
	Unsigned error
}

// A Client fetches modules. The zero Client fetches nothing, for its limit is 0.
type Client struct {
	// Limit is the largest zip.
	Limit policy.Bytes
	// Have is a zip that is not fetched again where a registry names its digest.
	Have []byte
	// Roots are the certificate authorities that count; nil is the system's.
	Roots *x509.CertPool
	// Arrived, if it is not nil, is told as bytes of the zip arrive how many
	// there are by now, of how many in all; size is -1 if nobody knows.
	Arrived func(done, size int64)
	// Name is what the client calls itself to servers.
	Name string
}

// Fetch gets a module.
func (c Client) Fetch(ctx context.Context, s Source) (Parcel, error) {
	var p Parcel
	var err error
	switch {
	case s.ref.Repository != "":
		p, err = c.pull(ctx, s)
	case s.url != nil:
		p, err = c.download(ctx, s.url)
	default:
		p, err = c.read(s.file)
	}
	if err != nil {
		return Parcel{}, fmt.Errorf("%s: %w", s, told(err))
	}
	return p, nil
}

// readAll reads what is at most limit bytes long. size is how long it says that
// it is; -1 if it says nothing.
func (c Client) readAll(r io.Reader, size int64) ([]byte, error) {
	limit := int64(c.Limit)
	if size > limit {
		return nil, c.tooLarge()
	}
	data, err := io.ReadAll(io.LimitReader(&arrival{r, c.Arrived, 0, size}, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = c.tooLarge()
	}
	return data, err
}

func (c Client) tooLarge() error {
	return fmt.Errorf("is larger than the limit of %v; raise the limit \"archive\"", c.Limit)
}

// An arrival counts the bytes that are read.
type arrival struct {
	io.Reader
	tell       func(done, size int64)
	done, size int64
}

func (a *arrival) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	a.done += int64(n)
	if a.tell != nil {
		a.tell(a.done, a.size)
	}
	return n, err
}

// signed adds what reading the signature came to. A signature that cannot be
// read is none: whether that matters is for package trust to say.
func (p *Parcel) signed(signature []byte, err error) {
	switch {
	case err != nil:
		p.Unsigned = told(err)
	case len(signature) > trust.MaxSignature:
		p.Unsigned = fmt.Errorf("it is larger than %d bytes, as no minisign signature is", trust.MaxSignature)
	default:
		p.Signature = signature
	}
}

// An absence is why something is not there.
type absence string

func (a absence) Error() string { return string(a) }

// Is makes it an fs.ErrNotExist.
func (absence) Is(target error) bool { return target == fs.ErrNotExist }

// A remark is an error whose text may be a server's, without what would control
// a terminal, and cut to a length that people read.
type remark struct{ error }

func (r remark) Unwrap() error { return r.error }

// maxRemark is the most of a server's text that is told, in bytes.
const maxRemark = 1000

func (r remark) Error() string {
	text := strings.Map(func(c rune) rune {
		if unicode.In(c, unicode.Cc, unicode.Bidi_Control) {
			return unicode.ReplacementChar
		}
		return c
	}, r.error.Error())
	return fmt.Sprintf("%.*s", maxRemark, text)
}

// told makes an error one that can be shown.
func told(err error) error {
	if errors.As(err, new(remark)) {
		return err
	}
	return remark{err}
}
