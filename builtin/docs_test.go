package builtin_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wasmagent/wasmagent/builtin"
	"github.com/wasmagent/wasmagent/check"
)

var update = flag.Bool("update", false, "rewrite the generated part of docs/builtin.md")

const generatedMark = "<!-- From here on the text is the commands' own: go test ./builtin -run TestDocs -update -->\n"

// docs/builtin.md has every command's help as it is now, and examples with the
// output that they give on the sample machine.
func TestDocs(t *testing.T) {
	path := filepath.Join("..", "docs", "builtin.md")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(file), "\r\n", "\n")
	head, have, found := strings.Cut(text, generatedMark)
	if !found {
		t.Fatalf("%s has no line %q", path, generatedMark)
	}
	var want strings.Builder
	// What happens at one moment happens in one order on one processor.
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
	synctest.Test(t, func(t *testing.T) { document(t, &want) })
	if *update {
		if err := os.WriteFile(path, []byte(head+generatedMark+want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if have != want.String() {
		t.Errorf("%s is not current: go test ./builtin -run TestDocs -update\n%s", path, firstDifference(have, want.String()))
	}
}

func document(t *testing.T, w *strings.Builder) {
	system := builtin.NewSystemOn(sample())
	defer system.Close()
	commands := system.Commands()
	dispatch := check.RunnerFunc(func(ctx context.Context, req check.Request) (check.Result, error) {
		return commands[req.Command].Run(ctx, req)
	})
	helpers := builtin.NewHelpers(dispatch)
	maps.Copy(commands, helpers.Commands())
	documentModule(t, w, system.Name(), system.Description(), system.Docs(), dispatch)
	documentModule(t, w, helpers.Name(), helpers.Description(), helpers.Docs(), dispatch)
}

func documentModule(t *testing.T, w *strings.Builder, name, description string, docs []builtin.Doc, dispatch check.Runner) {
	fmt.Fprintf(w, "\n## %s\n\n%s%s.\n", name, strings.ToUpper(description[:1]), description[1:])
	for _, doc := range docs {
		fmt.Fprintf(w, "\n### %s\n\n```text\n%s\n```\n", doc.Name, doc.Help)
		for _, example := range doc.Examples {
			line := strings.TrimSpace(doc.Name + " " + example)
			words, err := check.Split(line)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // for what samples the machine
			result, err := dispatch.Run(t.Context(), check.Request{Command: words[0], Args: words[1:]})
			if err != nil {
				t.Errorf("the example %s: %v", line, err)
			}
			fmt.Fprintf(w, "\n```console\n$ %s\n%s\n```\n", line, strings.TrimSpace(check.Encode(result)))
		}
	}
}

// firstDifference shows the first lines that are not the same.
func firstDifference(have, want string) string {
	h, w := strings.Split(have, "\n"), strings.Split(want, "\n")
	for i := range min(len(h), len(w)) {
		if h[i] != w[i] {
			return fmt.Sprintf("line %d has\n\t%s\nand should have\n\t%s", i+1, h[i], w[i])
		}
	}
	return fmt.Sprintf("it has %d lines and should have %d", len(h), len(w))
}
