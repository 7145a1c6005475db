package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/internal/journal"
	"github.com/wasmagent/wasmagent/metrics/otlp"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/providers/confine"
)

var update = flag.Bool("update", false, "write docs/cli.md")

// TestReference holds docs/cli.md against the commands.
func TestReference(t *testing.T) {
	t.Parallel()
	name := filepath.Join("..", "..", "docs", "cli.md")
	want := reference((&app{stdout: io.Discard, stderr: io.Discard}).root())
	if *update {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
		t.Error("docs/cli.md is not current; run: go test ./cmd/wasmagent -run TestReference -update")
	}
}

// reference describes a tree of commands in Markdown.
func reference(root *cobra.Command) []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, "# The command line\n\nThis file is written by `go test ./cmd/wasmagent -run TestReference -update`.\n\n"+
		"Every command ends with status 3 if it could not do what it was asked. A mistake in the arguments is told on standard\noutput, as a monitoring plugin tells it.\n")
	fmt.Fprintf(&b, "\nFlags of every command:\n\n```\n%s```\n", root.PersistentFlags().FlagUsages())
	root.InitDefaultCompletionCmd()
	describe(&b, root)
	return b.Bytes()
}

func describe(b *bytes.Buffer, cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		if sub.Hidden || sub.Name() == "help" {
			continue
		}
		if sub.Runnable() && !sub.HasSubCommands() {
			describeOne(b, sub)
		}
		if sub.Name() != "completion" {
			describe(b, sub)
			continue
		}
		fmt.Fprintf(b, "\n## %s SHELL\n\n%s.\n\n```sh\nsource <(wasmagent completion bash)\n```\n", sub.CommandPath(), "Print the completion script of a shell: bash, fish, powershell or zsh. Commands of modules are completed as well")
	}
}

func describeOne(b *bytes.Buffer, cmd *cobra.Command) {
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintf(b, "\n## %s\n\n```\n%s\n```\n\n%s\n", cmd.CommandPath(), cmd.UseLine(), indentBlocks(text))
	if flags := cmd.LocalNonPersistentFlags(); flags.HasAvailableFlags() {
		fmt.Fprintf(b, "\n```\n%s```\n", flags.FlagUsages())
	}
	if cmd.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", regexp.MustCompile(`(?m)^  `).ReplaceAllString(cmd.Example, ""))
	}
}

// indentBlocks makes code of what a help text has indented.
func indentBlocks(text string) string {
	return regexp.MustCompile(`(?m)^  (\S)`).ReplaceAllString(text, "    $1")
}

// TestShippedConfiguration holds what config.toml says of defaults against what
// they are, beside the limits, which package config knows.
func TestShippedConfiguration(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	c := parse(t, regexp.MustCompile(`(?m)^#(["\w.]+ = )`).ReplaceAllString(string(text), "$1"))
	holdTables(t, c)
	if c.Runs != agent.DefaultRuns {
		t.Errorf("runs is %d, want %d", c.Runs, agent.DefaultRuns)
	}
	if got, want := fmt.Sprint(c.Providers), fmt.Sprint(providers.Extensions()); got != want {
		t.Errorf("the providers are %s, want %s", got, want)
	}
	for _, name := range providers.Names() {
		if !strings.Contains(string(text), name) {
			t.Errorf("the provider %s is not documented", name)
		}
	}
}

// holdTables holds the tables of a configuration against the defaults.
func holdTables(t *testing.T, c config.Config) {
	t.Helper()
	if want := (config.Events{Size: journal.DefaultSize, Keep: journal.DefaultKeep}); c.Events != want {
		t.Errorf("[events] is %+v, want %+v", c.Events, want)
	}
	if c.Audit.Size != journal.DefaultSize || c.Audit.Keep != journal.DefaultKeep || c.OTLP.Interval != otlp.DefaultInterval {
		t.Errorf("[audit] is %+v, the interval of [otlp] %v", c.Audit, c.OTLP.Interval)
	}
	unset := parse(t, "")
	for table, pair := range map[string][2]any{
		"nrpe": {c.NRPE, unset.NRPE}, "rest": {c.REST, unset.REST}, "prometheus": {c.Prometheus, unset.Prometheus},
		"tls": {c.TLS, unset.TLS}, "trust": {c.Trust.Require, unset.Trust.Require}, "log": {c.Log, unset.Log},
		"native": {c.Native, confine.Defaults},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("[%s] is %+v, want the default %+v", table, pair[0], pair[1])
		}
	}
}

// parse reads a configuration.
func parse(t *testing.T, text string) config.Config {
	t.Helper()
	c, err := config.Parse(filepath.Join(t.TempDir(), "config.toml"), text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestConfigurationPage holds the limits of docs/config.md against the defaults.
func TestConfigurationPage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "config.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Limits\n")
	section, _, _ = strings.Cut(section, "\n## ")
	row := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| .* \\| `([0-9]+)(\\w*)` \\|\r?$")
	limits := "[limits]\n"
	for _, m := range row.FindAllStringSubmatch(section, -1) {
		value := m[2]
		if m[3] != "" {
			value = `"` + m[2] + m[3] + `"`
		}
		limits += m[1] + " = " + value + "\n"
	}
	if c := parse(t, limits); c.Limits != policy.Defaults {
		t.Errorf("the limits are\n%+v, want\n%+v", c.Limits, policy.Defaults)
	}
}
