package guest_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/guest"
)

// given is what a command line sets.
type given struct {
	name    string
	port    int
	tls     bool
	version string
	list    []string
	words   []string
	limits  guest.Thresholds
}

// plugin shows what its command line says.
func (g *given) plugin() guest.Plugin {
	return guest.Plugin{
		Name: "check_given", Version: "1.2.3", About: "shows what it is given", Usage: "-H NAME",
		Options: append(g.limits.Options("count"), []guest.Option{
			{Short: 'H', Long: "hostname", Argument: "NAME", Help: "whom to ask", Set: guest.Into(&g.name, guest.Text)},
			{Short: 'p', Long: "port", Argument: "PORT", Help: "where", Set: guest.Into(&g.port, guest.Port)},
			{Short: 'S', Long: "ssl", Argument: "[VERSION]", Help: "by TLS\nof that version", Set: func(v string) error { g.tls, g.version = true, v; return nil }},
			{Short: 'v', Help: "louder", Set: guest.True(new(bool))},
			{Long: "post", Argument: "TEXT", Set: guest.Into(new(string), guest.Text)},
			{Short: 'k', Long: "header", Argument: "LINE", Set: func(s string) error { g.list = append(g.list, s); return nil }},
			{Short: 'r', Long: "regex", Argument: "PATTERN", Set: guest.Into(new(*regexp.Regexp), regexp.Compile)},
		}...),
		Words: func(words []string) error { g.words = words; return nil },
		Check: func(context.Context) (check.Result, error) {
			text := fmt.Sprintf("%q %d %v %q %q %q", g.name, g.port, g.tls, g.version, g.list, g.words)
			return check.Result{State: check.StateOK, Text: text}, nil
		},
	}
}

var optionRows = []struct {
	line string
	want string // what is shown, or a part of what is printed
}{
	{``, `OK: "" 0 false "" [] []`},
	{`-H a -p 80`, `OK: "a" 80 false "" [] []`},
	{`-Ha -p80`, `OK: "a" 80 false "" [] []`},
	{`--hostname a --port 80`, `OK: "a" 80 false "" [] []`},
	{`--hostname=a --port=80`, `OK: "a" 80 false "" [] []`},
	{`--host=a --po=80`, `--po may be --port or --post`},
	{`--host=a --por=80`, `OK: "a" 80 false "" [] []`},
	{`-SvHa`, `OK: "" 0 true "vHa" [] []`},
	{`-vSHa`, `OK: "" 0 true "Ha" [] []`},
	{`-vHa -S`, `OK: "a" 0 true "" [] []`},
	{`-S 1.2`, `OK: "" 0 true "" [] ["1.2"]`},
	{`--ssl=1.2+`, `OK: "" 0 true "1.2+" [] []`},
	{`--ssl 1.2`, `OK: "" 0 true "" [] ["1.2"]`},
	{`x -k a y -k b z`, `OK: "" 0 false "" ["a" "b"] ["x" "y" "z"]`},
	{`-k -H -H -k`, `OK: "-k" 0 false "" ["-H"] []`},
	{`-- -H a`, `OK: "" 0 false "" [] ["-H" "a"]`},
	{`- -H a`, `OK: "a" 0 false "" [] ["-"]`},
	{`-H=`, `OK: "=" 0 false "" [] []`},
	{`--hostname=`, `OK: "" 0 false "" [] []`},
	{`-w ~:5 -c @1:2`, `OK: `},
	{`-x`, `check_given: there is no option -x; see check_given --help`},
	{`-vx`, `there is no option -x`},
	{`-ü`, `there is no option -ü`},
	{`--nope=1`, `there is no option --nope`},
	{`-H`, `-H lacks its NAME`},
	{`--port`, `--port lacks its PORT`},
	{`-p 0`, `-p: "0" is no port; want a number from 1 to 65535`},
	{`--por=65536`, `--port: "65536" is no port`},
	{`--version=1`, `--version takes no argument`},
	{`-p x -w y -x -r (`, `-p: "x" is no port; want a number from 1 to 65535; -w: range "y"`},
	{`-p x -w y -x -r (`, `there is no option -x; -r: error parsing regexp`},
	{`-t 0`, `-t: "0" is no time in seconds; want a number above 0`},
	{`-t nan`, `-t: "nan" is no time`},
	{`-t 1e300`, `-t: "1e300" is no time`},
	{`-t 2.5`, `OK: `},
	{`-V`, `check_given 1.2.3`},
	{`-h`, "check_given 1.2.3\n\ncheck_given shows what it is given.\n\nUsage: check_given -H NAME\n\n -w, --warning=RANGE\n"},
	{`--help`, " -S, --ssl[=VERSION]\n    by TLS\n    of that version\n -v\n    louder\n --post=TEXT\n"},
	{`-h`, " -h, --help\n    print this help"},
	{`-h -p x`, "Usage: "},
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, row := range optionRows {
		output, status := new(given).plugin().Run(t.Context(), strings.Fields(row.line))
		if !strings.Contains(output, row.want) {
			t.Errorf("%s: %q, want %q", row.line, output, row.want)
		}
		if ok := strings.HasPrefix(output, "GIVEN OK: "); ok != (status == 0) || !ok && status != 3 {
			t.Errorf("%s: %q with status %d", row.line, output, status)
		}
	}
}

func TestNoWords(t *testing.T) {
	t.Parallel()
	p := new(given).plugin()
	p.Words = nil
	if output, status := p.Run(t.Context(), []string{"a", "b"}); status != 3 || !strings.HasPrefix(output, `check_given: unexpected "a"; see`) {
		t.Errorf("%q, %d", output, status)
	}
}

// FuzzOptions gives any command line: it ends well, with OK or UNKNOWN and one
// line, unless help is asked for.
func FuzzOptions(f *testing.F) {
	for _, row := range optionRows {
		f.Add(row.line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		output, status := new(given).plugin().Run(t.Context(), strings.Split(line, " "))
		if status != 0 && status != 3 {
			t.Errorf("%q: status %d", line, status)
		}
		if strings.Contains(output, "\n") && !strings.Contains(output, "Usage:") {
			t.Errorf("%q: %q", line, output)
		}
	})
}
