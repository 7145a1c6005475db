// Package nrpe answers the requests of the Nagios Remote Plugin Executor, as
// check_nrpe sends them, in versions 2, 3 and 4 of the protocol.
//
// Guarantees:
//
//   - Whatever arrives is answered with a packet of the protocol: check_nrpe asks a
//     second time when it gets none. What cannot be served is UNKNOWN and says why.
//   - A request is read at whatever bytes the network cuts it, and takes no
//     more memory than has arrived of it.
//   - No shell sees a command or an argument: "!" separates arguments, and nothing
//     else has a meaning.
//   - An answer that the packet has no room for is cut between characters, and
//     between items of performance data.
//
// A Handler is safe for concurrent use. The protocol is that of
// https://github.com/NagiosEnterprises/nrpe (include/common.h.in, src/nrpe.c).
package nrpe

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/listen"
)

// A Handler answers NRPE requests with a Runner. It is a listen.Handler.
type Handler struct {
	// Runner answers the requests. It is required.
	Runner check.Runner
	// Commands are those that may be asked for.
	Commands access.Commands
	// AllowArguments lets requests have arguments.
	AllowArguments bool
	// Version is the answer to check_nrpe without a command. The default is
	// "wasmagent".
	Version string
}

// versionCommand is what check_nrpe sends without a command.
const versionCommand = "_NRPE_CHECK"

// hurryTime is how long the rest of a packet may take that may have no rest.
const hurryTime = time.Second

// ServeConn answers the one request that a connection has.
func (h Handler) ServeConn(ctx context.Context, c *listen.Conn) {
	q, err := readQuery(c, func() { c.SetReadDeadline(time.Now().Add(hurryTime)) })
	if err == io.EOF {
		return // nothing was sent
	}
	if err == nil {
		var end func()
		if end, err = c.Begin(ctx); err == nil {
			defer end()
		}
	}
	c.Write(q.answer(h.answer(ctx, q.text, err)))
}

// TuneTLS makes the handshake end with a message of the server. check_nrpe leaves
// Nagle's algorithm on, so that its request waits until the end of its own handshake
// is acknowledged, which takes 40 ms if the server has nothing to send. crypto/tls
// sends its session tickets that late when it asks for a client's certificate,
// which nobody has to have.
func (h Handler) TuneTLS(c *tls.Config) {
	c.ClientAuth = max(c.ClientAuth, tls.RequestClientCert)
	c.SessionTicketsDisabled = false
}

// answer is the result of a request, or of the error that keeps it from being served.
func (h Handler) answer(ctx context.Context, text string, err error) check.Result {
	switch {
	case err != nil:
		return check.Unknown(fmt.Errorf("NRPE: %w", err))
	case text == versionCommand:
		return check.Result{State: check.StateOK, Text: cmp.Or(h.Version, "wasmagent")}
	}
	r, err := h.run(ctx, text)
	if err != nil {
		return check.Unknown(err)
	}
	return r
}

// run runs the command of a request, if that is allowed.
func (h Handler) run(ctx context.Context, text string) (check.Result, error) {
	command, args := split(text)
	switch {
	case command == "":
		return check.Result{}, errors.New("NRPE: no command; name one (check_nrpe -c)")
	case !h.Commands.Allow(command):
		return check.Result{}, fmt.Errorf("NRPE: command %.100q is not allowed; add it to commands under [nrpe] in config.toml", command)
	case len(args) > 0 && !h.AllowArguments:
		return check.Result{}, fmt.Errorf("NRPE: command %.100q: arguments are not allowed; set allow_arguments = true under [nrpe] in config.toml", command)
	}
	return h.Runner.Run(ctx, check.Request{Command: command, Args: args, Origin: check.NRPE, Allowed: h.Commands.Allow})
}

// split cuts a request at each "!". An empty argument keeps its place, unless
// nothing follows it: a server's unused macros stand there.
func split(text string) (command string, args []string) {
	command, rest, _ := strings.Cut(text, "!")
	if rest = strings.TrimRight(rest, "!"); rest == "" {
		return command, nil
	}
	return command, strings.Split(rest, "!")
}
