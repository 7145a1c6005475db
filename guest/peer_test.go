package guest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/guest"
)

func TestExpiry(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for _, row := range []struct {
		left       time.Duration
		warn, crit int
		days       int
		state      check.State
		says       string
	}{
		{100 * day, 30, 7, 100, check.StateOK, `certificate "a" expires in 100 days, on 2026-06-09 12:00 UTC`},
		{31 * day, 30, 7, 31, check.StateOK, "in 31 days"},
		{31*day - 1, 30, 7, 30, check.StateWarning, "in 30 days"},
		{8 * day, 30, 7, 8, check.StateWarning, "in 8 days"},
		{8*day - 1, 30, 7, 7, check.StateCritical, "in 7 days"},
		{day, 30, 0, 1, check.StateWarning, "in 1 days"},
		{day - 1, 30, 0, 0, check.StateCritical, "expires within a day, on 2026-03-02 11:59 UTC"},
		{0, 30, 0, 0, check.StateCritical, "expires within a day"},
		{-1, 0, 0, -1, check.StateCritical, "expired on 2026-03-01 11:59 UTC"},
		{-day, 0, 0, -2, check.StateCritical, "expired on 2026-02-28 12:00 UTC"},
	} {
		c := guest.Certificate{Subject: "CN=a,O=b", NotAfter: now.Add(row.left)}
		state, text := c.Expiry(now, row.warn, row.crit)
		if state != row.state || !strings.Contains(text, row.says) || c.Days(now) != row.days {
			t.Errorf("%v left: %s, %d days, %s; want %+v", row.left, state, c.Days(now), text, row)
		}
	}
	early := guest.Certificate{Subject: "CN=a", NotBefore: now.Add(1), NotAfter: now.Add(100 * day)}
	if state, text := early.Expiry(now, 30, 7); state != check.StateCritical || !strings.Contains(text, "not valid before 2026-03-01 12:00 UTC") {
		t.Errorf("before its time: %s, %s", state, text)
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]guest.Certificate{
		"a":       {Subject: "CN=a,O=b", DNSNames: []string{"d"}},
		"b, c":    {Subject: `O=x,CN=b\, c`},
		"d":       {Subject: "O=x", DNSNames: []string{"d", "e"}, IPAddresses: []string{"::1"}},
		"::1":     {Subject: "O=x", IPAddresses: []string{"::1"}},
		"O=x,C=y": {Subject: "O=x,C=y"},
		"":        {},
	} {
		if got := c.Name(); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
}
