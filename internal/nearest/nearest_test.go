package nearest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/internal/nearest"
)

func TestTo(t *testing.T) {
	t.Parallel()
	names := []string{"warn", "crit", "time", "drive", "w", "exclude", "check_memory", "check_mem", "Größe"}
	for typed, want := range map[string][]string{
		"wran":                       {"warn"},
		"warm":                       {"warn"},
		"arn":                        {"warn"},
		"wwarn":                      {"warn"},
		"Tiem":                       {"time"},
		"TIME":                       {"time"},
		"cirt":                       {"crit"},
		"drives":                     {"drive"},
		"exlude":                     {"exclude"},
		"exlued":                     {"exclude"},
		"gröSe":                      {"Größe"},
		"check_memroy":               {"check_memory", "check_mem"},
		"W":                          {"w"},
		"x":                          nil, // every letter of "w" would change
		"":                           nil,
		"zzz":                        nil,
		"\xff\x00":                   nil,
		strings.Repeat("warn", 1000): nil,
	} {
		if got := nearest.To(typed, names); !slices.Equal(got, want) {
			t.Errorf("%.40q: %q, want %q", typed, got, want)
		}
	}
}

func TestToIsTheSameInAnyOrder(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{{"ab", "ac", "abc", "ac"}, {"ac", "abc", "ac", "ab"}} {
		if got := nearest.To("ad", names); !slices.Equal(got, []string{"ab", "ac"}) {
			t.Errorf("of %q: %q", names, got)
		}
	}
}

func TestSorted(t *testing.T) {
	t.Parallel()
	names := []string{"_Total", "sda", "sdb", "nvme0n1", "vda"}
	for _, row := range []struct {
		typed string
		most  int
		want  []string
	}{
		{"", 3, []string{"_Total", "sda", "sdb"}},
		{"sdc", 2, []string{"sda", "sdb"}},
		{"NVME", 1, []string{"nvme0n1"}},
		{"da", 3, []string{"sda", "vda", "sdb"}},
		{"_Totl", 1, []string{"_Total"}},
		{strings.Repeat("x", 10_000), 99, []string{"nvme0n1", "sda", "sdb", "_Total", "vda"}},
	} {
		got := nearest.Sorted(row.typed, names, row.most)
		if len(row.typed) > 100 {
			slices.Sort(got) // nothing is like it: only that all are there counts
			row.want = slices.Sorted(slices.Values(row.want))
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%.40q: %q, want %q", row.typed, got, row.want)
		}
	}
	if names[0] != "_Total" {
		t.Errorf("the list was changed: %q", names)
	}
}

func FuzzTo(f *testing.F) {
	f.Add("wran", "warn")
	f.Add("", "")
	f.Add(strings.Repeat("a", 64), strings.Repeat("b", 65))
	f.Add("\xff", "ß\u0130")
	f.Fuzz(func(t *testing.T, typed, name string) {
		both := []string{name, name}
		if got := nearest.To(typed, both); len(got) > 1 || len(got) == 1 && got[0] != name {
			t.Errorf("%q of %q: %q", typed, name, got)
		}
		if name != "" && len([]rune(strings.ToLower(name))) <= 64 && len(nearest.To(name, both)) != 1 {
			t.Errorf("%q is not near to itself", name)
		}
		if got := nearest.Sorted(typed, both, 2); !slices.Equal(got, both) {
			t.Errorf("sorted by %q: %q, want %q", typed, got, both)
		}
	})
}
