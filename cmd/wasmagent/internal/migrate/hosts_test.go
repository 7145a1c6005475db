package migrate_test

import (
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/migrate"
)

func TestHost(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"127.0.0.1": "127.0.0.1", "::1": "::1", "10.0.0.0/8": "10.0.0.0/8", "10.1.2.3/8": "10.0.0.0/8", "fd00::/8": "fd00::/8",
		"172.16.0.0/255.240.0.0": "172.16.0.0/12", "10.0.0.1/255.255.255.255": "10.0.0.1/32",
		"10.*": "10.0.0.0/8", "10.1.*": "10.1.0.0/16", "10.1.*.*": "10.1.0.0/16", "10.1.2.*": "10.1.2.0/24", "*": "0.0.0.0/0",
		"monitor": "monitor", "monitor.example.com": "monitor.example.com", "a_b-c.example.": "a_b-c.example.",
	} {
		if got, ok := migrate.Host(written); !ok || got != want {
			t.Errorf("%s: %q, %v; want %q", written, got, ok, want)
		}
	}
	for _, written := range []string{
		"", "**", "*.1", "*.*.*.*.*", "10.*.3", "1.2.3.4.5", "300.1.1.1", "10.0.0.0/33", "10.0.0.0/255.0.255.0", "10.0.0.0/x", "x/8",
		"a..b", "-a", "a-", "a b", "a;b", "5", "::1/999",
	} {
		if got, ok := migrate.Host(written); ok {
			t.Errorf("%q is %q", written, got)
		}
	}
}

func TestShort(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		30 * time.Second: "30s", time.Minute: "1m", 10 * time.Minute: "10m", time.Hour: "1h", 24 * time.Hour: "24h",
		90 * time.Minute: "1h30m", 90 * time.Second: "1m30s", time.Hour + time.Second: "1h0m1s", 0: "0s",
	} {
		if got := migrate.Short(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}
