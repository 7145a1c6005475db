package policy_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/policy"
)

// TestOverCoversEveryField fails when a field is added to Limits and forgotten
// in Over or in Defaults.
func TestOverCoversEveryField(t *testing.T) {
	t.Parallel()
	var base policy.Limits
	fields := reflect.ValueOf(&base).Elem()
	for i := range fields.NumField() {
		fields.Field(i).SetInt(int64(1000 + i))
	}
	if got := (policy.Limits{}).Over(base); got != base {
		t.Errorf("no limits over %+v are %+v", base, got)
	}
	for i := range fields.NumField() {
		name := fields.Type().Field(i).Name
		var one policy.Limits
		reflect.ValueOf(&one).Elem().Field(i).SetInt(7)
		want := base
		reflect.ValueOf(&want).Elem().Field(i).SetInt(7)
		if got := one.Over(base); got != want {
			t.Errorf("%s of 7 over %+v is %+v", name, base, got)
		}
		if reflect.ValueOf(policy.Defaults).Field(i).Int() <= 0 {
			t.Errorf("%s has no default", name)
		}
		if tag := fields.Type().Field(i).Tag.Get("toml"); tag == "" || tag != strings.ToLower(tag) {
			t.Errorf("%s is named %q in the configuration", name, tag)
		}
	}
}

func TestWithDefaults(t *testing.T) {
	t.Parallel()
	if got := (policy.Limits{}).WithDefaults(); got != policy.Defaults {
		t.Errorf("no limits with defaults are %+v", got)
	}
	want := policy.Defaults
	want.Memory = policy.GiB
	if got := (policy.Limits{Memory: policy.GiB}).WithDefaults(); got != want {
		t.Errorf("limits of 1 GiB with defaults are %+v", got)
	}
}

// bytesRows are sizes, their value, and how String writes it.
var bytesRows = []struct {
	text  string
	want  policy.Bytes
	short string
}{
	{"0", 0, "0 B"},
	{"1", 1, "1 B"},
	{"1023 B", 1023, "1023 B"},
	{"64MiB", 64 << 20, "64 MiB"},
	{"64 MiB", 64 << 20, "64 MiB"},
	{" 2  GiB ", 2 << 30, "2 GiB"},
	{"1024KiB", 1 << 20, "1 MiB"},
	{"1536KiB", 1536 << 10, "1536 KiB"},
	{"5KB", 5000, "5000 B"},
	{"16MB", 16e6, "15625 KiB"},
	{"3GB", 3e9, "3000000000 B"},
	{"007", 7, "7 B"},
	{"9223372036854775807", math.MaxInt64, "9223372036854775807 B"},
	{"8589934591GiB", 8589934591 << 30, "8589934591 GiB"},
}

var badBytes = []string{
	"", " ", "B", "MiB", "-1", "-1MiB", "1.5MiB", "1e3", "0x10", "1_000", "64mib", "64M", "64kB", "64 TiB", "1 2", "1BB", "+1", "-0",
	"9223372036854775808", "8589934592GiB", "9999999999GiB", "99999999999999999999", "1\x00",
}

func TestBytes(t *testing.T) {
	t.Parallel()
	for _, row := range bytesRows {
		var b policy.Bytes
		if err := b.UnmarshalText([]byte(row.text)); err != nil || b != row.want {
			t.Errorf("%q: %d, %v; want %d", row.text, b, err, row.want)
		}
		if b.String() != row.short {
			t.Errorf("%d: written %q, want %q", b, b, row.short)
		}
	}
	for _, text := range badBytes {
		b := policy.Bytes(42)
		err := b.UnmarshalText([]byte(text))
		if err == nil || b != 42 || !strings.Contains(err.Error(), `such as "64MiB"`) {
			t.Errorf("%q: %d, %v; want an error and 42", text, b, err)
		}
	}
}

func FuzzBytes(f *testing.F) {
	for _, row := range bytesRows {
		f.Add(row.text)
	}
	for _, text := range badBytes {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var b, again policy.Bytes
		if b.UnmarshalText([]byte(text)) != nil {
			return
		}
		if b < 0 {
			t.Errorf("%q: %d is negative", text, b)
		}
		if err := again.UnmarshalText([]byte(b.String())); err != nil || again != b {
			t.Errorf("%q: %d is written %q and read %d, %v", text, b, b, again, err)
		}
	})
}
