package strict_test

import (
	"errors"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/wasmagent/wasmagent/strict"
)

const text = `runs = 1
[a.b]
# a comment
y = 2

[roles.ops]
allow = []
commands = []
`

// TestMistakes records mistakes out of order, and reads them in the file's.
func TestMistakes(t *testing.T) {
	t.Parallel()
	d, err := strict.Parse("f.toml", text)
	if err != nil || d.Err() != nil {
		t.Fatal(err, d.Err())
	}
	d.EachIn(toml.Key{"roles", "ops"}, errors.Join(errors.New("one"), errors.New("two")))
	d.Wrong(toml.Key{"roles", "ops"}, "%d grants", 0)
	d.Each(toml.Key{"roles", "ops", "commands"}, errors.New("none"))
	d.Each(toml.Key{"roles", "ops", "commands"}, nil)
	d.Wrong(toml.Key{"a"}, "is a table")
	d.Wrong(toml.Key{"a", "b", "y", "z"}, "is not there")
	d.Unknown(strict.Below(nil, "runs"), []string{"run", "users"})
	d.Unknown(strict.Below(toml.Key{"a", "b"}, "y"), []string{"users"})
	want := `f.toml:1: runs: unknown key; did you mean "run"?
f.toml:2: a: is a table
f.toml:4: a.b.y.z: is not there
f.toml:4: a.b.y: unknown key; known here: users
f.toml:6: roles.ops: 0 grants
f.toml:7: roles.ops: one
f.toml:7: roles.ops: two
f.toml:8: roles.ops.commands: none`
	if got := d.Err(); got == nil || got.Error() != want || d.Mistakes() != 8 {
		t.Errorf("%d mistakes:\n%v\nwant\n%s", d.Mistakes(), got, want)
	}
}

func TestSyntax(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a = 1\nb =":      "f.toml:2: unexpected EOF; expected value",
		"a = 1\na = 2":    "f.toml:2: Key 'a' has already been defined.",
		"\n\nx = \"\\q\"": "f.toml:3: invalid escape in string '\\q'",
	} {
		if _, err := strict.Parse("f.toml", text); err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}
