package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"unicode"
)

// Why there is no connection. Every error of Dial and Peer matches one of these,
// but for those about a target that is not for that call.
var (
	// ErrNotAllowed: the rule allows none of the host's addresses.
	ErrNotAllowed = errors.New("not allowed")
	// ErrNoHost: the host's name does not exist, or has no address.
	ErrNoHost = errors.New("no such host")
	// ErrLookup: the name servers did not say whether the host's name exists.
	ErrLookup = errors.New("the name cannot be looked up")
	// ErrConnectionRefused: nothing listens on the port.
	ErrConnectionRefused = errors.New("connection refused")
	// ErrTimeout: there was no answer before the system or the name servers gave
	// up or the context was done. In the last case the error matches the context's
	// cause as well.
	ErrTimeout = errors.New("no answer in time")
	// ErrUnreachable: no route leads to the host, or there is no address to reach
	// it from.
	ErrUnreachable = errors.New("unreachable")
	// ErrFailed: the system could not connect for a reason of its own.
	ErrFailed = errors.New("cannot connect")
	// ErrCertificate: the server's certificate is not valid for the host.
	ErrCertificate = errors.New("the server's certificate is not trusted")
	// ErrHandshake: client and server did not agree on TLS, or the server broke off.
	ErrHandshake = errors.New("no TLS connection")
)

// fail is an error about a target, whose text may be the server's.
func fail(ctx context.Context, t Target, reason error, detail string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%v: %w: %w", t, ErrTimeout, context.Cause(ctx))
	}
	return fmt.Errorf("%v: %w: %s", t, reason, printable(detail))
}

func lookupError(ctx context.Context, t Target, err error) error {
	detail := err.Error()
	reason := ErrLookup
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		detail = dns.Err
		switch {
		case dns.IsNotFound:
			reason, detail = ErrNoHost, "no name server knows an address of it"
		case dns.IsTimeout:
			reason = ErrTimeout
		}
	}
	return fail(ctx, t, reason, detail)
}

// notAllowed is about a host of which no address may be dialled. It is said even
// when the context is done.
func notAllowed(t Target, refused []failure) error {
	return fmt.Errorf("%v: %w: %s", t, ErrNotAllowed, printable(each(refused)))
}

// connectError is about addresses that failed, and about those that were not tried.
// Its reason is that of the address that got furthest.
func connectError(ctx context.Context, t Target, failed, refused []failure) error {
	best := ErrUnreachable
	for i := range failed {
		var reason error
		reason, failed[i].err = connectReason(failed[i].err)
		if slices.Index(furthest, reason) < slices.Index(furthest, best) {
			best = reason
		}
	}
	detail := each(failed)
	if len(refused) > 0 {
		detail += "; not allowed: " + each(refused)
	}
	return fail(ctx, t, best, detail)
}

// furthest are the reasons of connect, the best first.
var furthest = []error{ErrConnectionRefused, ErrTimeout, ErrFailed, ErrUnreachable}

// connectReason returns what kind of error one is, and what the system itself says.
func connectReason(err error) (reason, cause error) {
	errno, ok := errors.AsType[syscall.Errno](err)
	late, isNet := errors.AsType[net.Error](err)
	switch {
	case ok && errno == connectionRefused:
		return ErrConnectionRefused, errno
	case ok && slices.Contains(unreachable, errno):
		return ErrUnreachable, errno
	case ok && errno == timedOut, isNet && late.Timeout():
		return ErrTimeout, ErrTimeout
	case ok:
		return ErrFailed, errno
	}
	return ErrFailed, err
}

func handshakeError(ctx context.Context, t Target, err error) error {
	if invalid, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fail(ctx, t, ErrCertificate, invalid.Err.Error())
	}
	return fail(ctx, t, ErrHandshake, handshakeText(err))
}

// handshakeText says in a handshake's terms what the system says in its own.
func handshakeText(err error) string {
	switch {
	case errors.Is(err, io.EOF):
		return "the server closed the connection during the handshake"
	case errors.As(err, new(tls.RecordHeaderError)):
		return "the server does not speak TLS"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == serverSays {
		return "the server says: " + op.Err.Error()
	} else if ok {
		return op.Err.Error()
	}
	return err.Error()
}

// serverSays is the operation in crypto/tls's errors that are the server's alerts.
const serverSays = "remote error"

// each lists addresses with what happened to them.
func each(failures []failure) string {
	texts := make([]string, 0, len(failures))
	for _, f := range failures {
		texts = append(texts, fmt.Sprintf("%v: %v", f.addr.Addr(), f.err))
	}
	return strings.Join(texts, "; ")
}

// maxText is the longest text in bytes that an error takes from elsewhere.
const maxText = 2 << 10

// printable is a text on one line, of at most maxText bytes.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, strings.ToValidUTF8(text[:min(len(text), maxText)], "?"))
}
