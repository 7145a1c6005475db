package migrate_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/migrate"
	"github.com/wasmagent/wasmagent/internal/needs"
)

// lines are command lines of NRPE with two arguments and what a shell prints of
// them.
var lines = []struct {
	line string
	args []string
	want string
}{
	{`printf '[%s]' $ARG1$ $ARG2$`, []string{"a b", "c"}, "[a][b][c]"},
	{`printf '[%s]' "$ARG1$" '$ARG2$'`, []string{"a b", "c  d"}, "[a b][c  d]"},
	{`printf '[%s]' 'x$ARG1$y' "x$ARG2$y"`, []string{"a b", "c'd\"e"}, `[xa by][xc'd"ey]`},
	{`printf '[%s]' $ARG1$`, []string{"$(id);`id`|id&&id>x"}, "[$(id);`id`|id&&id>x]"},
	{`printf '[%s]' "$ARG1$"`, []string{`"; id; "`}, `["; id; "]`},
	{`printf '[%s]' '$ARG1$'`, []string{`'; id; '`}, `['; id; ']`},
	{`printf '[%s]' $ARG1$`, []string{"/*"}, "[/*]"},
	{`printf '[%s]' $ARG3$ "$ARG4$"`, nil, "[]"},
	{`printf '[%s]' "5$$" '$$x' \'$ARG1$\'`, []string{"a"}, "[5$][$x]['a']"},
	{`printf '[%s]' $ARG12$`, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "twelve"}, "[twelve]"},
	{`printf a | tr a $ARG1$ && printf ';'`, []string{"b"}, "b;"},
	{`/usr/bin/env printf '[%s]' $ARG1$`, []string{"x"}, "[x]"},
}

// TestShellBody has a shell run the scripts.
func TestShellBody(t *testing.T) {
	t.Parallel()
	shell := needs.Program(t, "sh")
	for _, row := range lines {
		runs(t, shell, migrate.ShellBody(row.line), row.args, row.want, row.line)
	}
	if body := migrate.ShellBody("/bin/x -a"); !strings.Contains(body, "\nexec /bin/x -a\n") {
		t.Errorf("a plain command keeps a shell: %q", body)
	}
}

// TestExecWords has a shell run the scripts that are made of NSClient++'s lines,
// whose words no shell changes.
func TestExecWords(t *testing.T) {
	t.Parallel()
	shell := needs.Program(t, "sh")
	for _, row := range lines {
		if strings.Contains(row.line, "|") {
			continue
		}
		words := []string{"/usr/bin/printf", "[%s]", "it's", "$HOME", "`id`", "$ARG1$", "x$ARG2$y", "", "$ARGS$"}
		arg := func(i int) string {
			if i < len(row.args) {
				return row.args[i]
			}
			return ""
		}
		want := "[it's][$HOME][`id`][" + arg(0) + "][x" + arg(1) + "y][]"
		for _, a := range row.args {
			want += "[" + a + "]"
		}
		runs(t, shell, migrate.ExecWords(words), row.args, want, strings.Join(row.args, " "))
	}
}

func runs(t *testing.T, shell, body string, args []string, want, what string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), shell, append([]string{"-c", body, "script"}, args...)...)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != want {
		t.Errorf("%s with %q: %s, %v; want %s\n%s", what, args, out, err, want, body)
	}
}

// FuzzShellBody holds that an argument stays an argument: whatever it is, a shell
// hands it to the program.
func FuzzShellBody(f *testing.F) {
	for _, row := range lines {
		f.Add(strings.Join(row.args, " "))
	}
	shell := needs.Program(f, "sh")
	f.Fuzz(func(t *testing.T, arg string) {
		if strings.ContainsRune(arg, 0) {
			t.Skip("no argument holds NUL")
		}
		body := migrate.ShellBody(`printf '[%s]' "$ARG1$" '$ARG1$'`)
		runs(t, shell, body, []string{arg}, "["+arg+"]["+arg+"]", "line")
		words, err := check.Split(`printf [%s] $ARG1$`)
		if err != nil {
			t.Fatal(err)
		}
		runs(t, shell, migrate.ExecWords(words), []string{arg}, "["+arg+"]", "words")
	})
}
