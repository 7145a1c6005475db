package main

import (
	"fmt"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/guest"
	"github.com/wasmagent/wasmagent/guest/http1"
)

// An expectation is what an answer has to be like.
type expectation struct {
	lines        []string // one of which the first line holds
	header, text string   // which are found in the header and the content
	pattern      string   // which the content matches,
	fold, span   bool     // whatever the case, across lines
	unwanted     bool     // or else does not match
	size         sizes
}

// sizes bound the size of the answer in bytes; 0 is no bound.
type sizes struct{ least, most int64 }

func (e *expectation) options() []guest.Option {
	return []guest.Option{
		{Short: 'e', Long: "expect", Argument: "TEXT[,TEXT...]", Help: "one of these is in the answer's first line, and the status does not matter", Set: guest.Into(&e.lines, readList)},
		{Short: 'd', Long: "header-string", Argument: "TEXT", Help: "this is in the answer's header", Set: guest.Into(&e.header, guest.Text)},
		{Short: 's', Long: "string", Argument: "TEXT", Help: "this is in the content", Set: guest.Into(&e.text, guest.Text)},
		{Short: 'l', Long: "linespan", Help: "-r and -R match across lines", Set: guest.True(&e.span)},
		{Short: 'r', Long: "regex", Argument: "PATTERN", Help: "this matches the content", Set: guest.Into(&e.pattern, readPattern)},
		{Long: "ereg", Argument: "PATTERN", Help: "the same", Set: guest.Into(&e.pattern, readPattern)},
		{Short: 'R', Long: "eregi", Argument: "PATTERN", Help: "the same, whatever the case", Set: e.setFold},
		{Long: "invert-regex", Help: "CRITICAL if the pattern matches", Set: guest.True(&e.unwanted)},
		{Short: 'm', Long: "pagesize", Argument: "LEAST[:MOST]", Help: "WARNING if the answer, its header included, has less or more bytes", Set: guest.Into(&e.size, readSizes)},
	}
}

func readList(s string) ([]string, error) { return strings.Split(s, ","), nil }

func readPattern(s string) (string, error) {
	_, err := regexp.Compile(s)
	return s, err
}

func (e *expectation) setFold(s string) error {
	e.fold = true
	return guest.Into(&e.pattern, readPattern)(s)
}

func readSizes(s string) (sizes, error) {
	least, most, two := strings.Cut(s, ":")
	if !two {
		most = "0"
	}
	l, err1 := strconv.ParseUint(least, 10, 31)
	m, err2 := strconv.ParseUint(most, 10, 31)
	if err1 != nil || err2 != nil {
		return sizes{}, fmt.Errorf("%.40q is no size in bytes; want LEAST or LEAST:MOST", s)
	}
	return sizes{int64(l), int64(m)}, nil
}

// line judges the first line of the answer.
func (e *expectation) line(a *http1.Answer) (check.State, string) {
	wanted := false
	for _, line := range e.lines {
		wanted = wanted || strings.Contains(a.Line, line)
	}
	switch {
	case len(e.lines) > 0 && !wanted, len(e.lines) == 0 && a.Status == 0:
		return check.StateCritical, fmt.Sprintf("invalid HTTP response received: %.200s", a.Line)
	case wanted:
		return check.StateOK, fmt.Sprintf("status line has %s - %s", strings.Join(e.lines, " or "), a.Line)
	case a.Status >= 500:
		return check.StateCritical, a.Line
	case a.Status >= 400:
		return check.StateWarning, a.Line
	}
	return check.StateOK, a.Line
}

// complaints lists what an answer lacks, and the state of that.
func (e *expectation) complaints(a *http1.Answer) (state check.State, texts []string) {
	state = check.StateOK
	complain := func(s check.State, text string) {
		state, texts = check.Worse(state, s), append(texts, text)
	}
	if e.header != "" && !strings.Contains(written(a.Header), e.header) {
		complain(check.StateCritical, fmt.Sprintf("header %q not found", e.header))
	}
	if e.text != "" && !strings.Contains(string(a.Body), e.text) {
		complain(check.StateCritical, fmt.Sprintf("string %q not found", e.text))
	}
	switch matches := e.matches(a.Body); {
	case e.pattern != "" && !matches && !e.unwanted:
		complain(check.StateCritical, "pattern not found")
	case e.pattern != "" && matches && e.unwanted:
		complain(check.StateCritical, "pattern found")
	}
	switch size := a.Size; {
	case e.size.most > 0 && size > e.size.most:
		complain(check.StateWarning, fmt.Sprintf("page size %d too large", size))
	case size < e.size.least:
		complain(check.StateWarning, fmt.Sprintf("page size %d too small", size))
	}
	return state, texts
}

// matches tells whether the content matches the pattern, in which "^" and "$"
// are the ends of lines unless it spans them.
func (e *expectation) matches(body []byte) bool {
	flags := "(?m)"
	if e.span {
		flags = "(?s)"
	}
	if e.fold {
		flags += "(?i)"
	}
	return regexp.MustCompile(flags + e.pattern).Match(body)
}

// written is a header as text, to look for a line or a part of it.
func written(header textproto.MIMEHeader) string {
	var b strings.Builder
	for name, values := range header {
		for _, value := range values {
			b.WriteString(name + ": " + value + "\r\n")
		}
	}
	return b.String()
}
