package zipmod_test

import (
	"testing"

	"github.com/wasmagent/wasmagent/zipmod"
)

func TestCheckName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"web": true, "web-1.2": true, "web~": true, "Überwachung": true,
		"": false, ".": false, "..": false, "web.": false, "WEB-CH~1": false, "a/b": false, `a\b`: false, "a b": false, "-a": false, "a\x00": false,
	} {
		if err := zipmod.CheckName(name); (err == nil) != want {
			t.Errorf("%q: %v, want a name: %v", name, err, want)
		}
	}
}
