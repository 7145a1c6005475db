package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"
)

// maxAnswer is the longest answer to a question in bytes.
const maxAnswer = 1024

// consents asks a question on the terminal and tells whether the answer is yes;
// no answer is no. Without a terminal there is nobody to ask.
func (a *app) consents(ctx context.Context, question string) (bool, error) {
	if !term.IsTerminal(int(a.stdin.Fd())) {
		return false, errors.New("there is no terminal to ask on whether to go on; give --yes")
	}
	fmt.Fprintf(a.stderr, "%s [y/N] ", question)
	answer := make(chan string, 1)
	go func() { // which outlives an interrupt, as the process does not
		line, _ := bufio.NewReader(io.LimitReader(a.stdin, maxAnswer)).ReadString('\n')
		answer <- line
	}()
	select {
	case line := <-answer:
		word := strings.ToLower(strings.TrimSpace(line))
		return word == "y" || word == "yes", nil
	case <-ctx.Done():
		fmt.Fprintln(a.stderr)
		return false, context.Cause(ctx)
	}
}

// errRefused is why nothing was done where the operator was asked.
var errRefused = errors.New("nothing is changed, as you did not agree")

// agrees is nil if the operator agrees: by --yes, or when asked.
func (a *app) agrees(ctx context.Context, question string, yes bool) error {
	if yes {
		return nil
	}
	ok, err := a.consents(ctx, question)
	if err == nil && !ok {
		err = errRefused
	}
	return err
}
