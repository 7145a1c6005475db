package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/guest"
)

// set makes an option of a line of the header.
func (a *ask) set(name, prefix string) func(string) error {
	return func(value string) error {
		a.header.Set(name, prefix+value)
		return nil
	}
}

// authorize takes the user and the password.
func (a *ask) authorize(pair string) error {
	return a.set("Authorization", "Basic ")(base64.StdEncoding.EncodeToString([]byte(pair)))
}

// add takes a line of the header.
func (a *ask) add(line string) error {
	name, value, ok := strings.Cut(line, ":")
	if !ok || name == "" || strings.ContainsAny(name, " \t") {
		return fmt.Errorf("%.60q is no line of a header; want NAME: TEXT", line)
	}
	a.header.Add(name, strings.TrimSpace(value))
	return nil
}

var actions = []string{"ok", "warning", "critical", "follow", "sticky", "stickyport"}

func readAction(s string) (string, error) {
	if !slices.Contains(actions, s) {
		return "", fmt.Errorf("%.40q is none of %s", s, strings.Join(actions, ", "))
	}
	return s, nil
}

func readCount(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%.40q is no number", s)
	}
	return int(n), nil
}

// days are the thresholds of a certificate.
type days struct{ warn, crit int }

// readDays reads "WARN" or "WARN,CRIT".
func readDays(s string) (*days, error) {
	warn, crit, two := strings.Cut(s, ",")
	if !two {
		crit = "0"
	}
	w, err1 := readCount(warn)
	c, err2 := readCount(crit)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("%.40q is no number of days; want WARN or WARN,CRIT", s)
	}
	return &days{w, c}, nil
}

// certificate looks at the server's certificate, trusted or not.
func (a *ask) certificate(ctx context.Context) (check.Result, error) {
	peer, err := guest.PeerOf(ctx, net.JoinHostPort(a.name, strconv.Itoa(a.port)))
	if err != nil {
		return guest.Unreachable(err)
	}
	now, own := time.Now(), peer.Certificates[0]
	state, text := own.Expiry(now, a.days.warn, a.days.crit)
	return check.Result{State: state, Text: text, Perf: []check.Perf{{Label: "days", Value: float64(own.Days(now))}}}, nil
}
