//go:build linux

package checks

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/bench/internal/worker"
)

// TestMain lets the test be a worker, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == worker.Command {
		if err := Work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// source is the directory of the project.
const source = "../../.."

// TestQuick measures everything, briefly, and finds a figure in every place.
func TestQuick(t *testing.T) {
	for _, tool := range []string{"clang", "wasm-ld", "cc", "python3"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("WASMAGENT_REQUIRE") != "1" {
			t.Skip(err)
		}
	}
	chart := filepath.Join(t.TempDir(), "chart.svg")
	out, err := Run(t.Context(), "bench checks", []string{"-source", source, "-chart", chart, "-quick"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Log(out)
	figures := strings.NewReplacer("TIME", `[0-9.]+ (s|ms|µs)`, "SIZE", `(0|[0-9.]+ (KiB|MiB))`, "|", `\|`)
	for _, want := range []string{
		"\n```sh\nbench checks\n```\n",
		"\n| smallest, sandbox, .*: times faster | at least 15 | [1-9]",
		"\n| `sh -c echo` | process | 1 | TIME | TIME | TIME | \\d+ | TIME | TIME | TIME | TIME | \\d+ | [0-9.]+ |\n",
		"\n| smallest | sandbox | 3 | TIME",
		"\n| Go on the SDK | Extism | 1 | TIME",
		"\n| Go | wazero | 1 | TIME",
		"\n| smallest | sandbox | 3 | SIZE | SIZE | SIZE | TIME | TIME |\n",
		"\n| Python | process | 1 | - | - | SIZE | TIME | TIME |\n",
	} {
		if !regexp.MustCompile(figures.Replace(want)).MatchString(out) {
			t.Errorf("nothing matches %q", want)
		}
	}
	for _, unwanted := range []string{"Not measured", "not measured"} {
		if strings.Contains(out, unwanted) {
			t.Errorf("it says %q", unwanted)
		}
	}
}

// TestMistakes has command lines that measure nothing.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ args, want string }{
		{"-rounds 0", "is not positive"},
		{"-time -1s", "is not positive"},
		{"more", `arguments ["more"]`},
		{"-unknown", "-unknown"},
	} {
		if _, err := Run(t.Context(), "", strings.Fields(row.args), io.Discard); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.args, err, row.want)
		}
	}
}
