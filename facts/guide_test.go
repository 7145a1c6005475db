package facts_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/wasmagent/wasmagent/facts"
)

const guideFile = "../docs/host.md"

// sections splits the guide at its second-level headings, by heading.
func sections(t *testing.T) (names []string, bodies map[string]string) {
	t.Helper()
	bodies = map[string]string{}
	for _, part := range strings.Split(readGuide(t), "\n## ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		names, bodies[name] = append(names, name), body
	}
	return names, bodies
}

func readGuide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(guideFile)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

var generated = regexp.MustCompile(`(?s)(<!-- members of (\w+)[^>]*-->\n).*?(<!-- end -->)`)

func TestGuideIsCurrent(t *testing.T) {
	t.Parallel()
	defs := hostSchema(t).Defs
	var found []string
	guide := generated.ReplaceAllStringFunc(readGuide(t), func(block string) string {
		m := generated.FindStringSubmatch(block)
		found = append(found, m[2])
		return m[1] + tables(defs, m[2]) + m[3]
	})
	slices.Sort(found)
	if !slices.Equal(found, facts.Names()) {
		t.Errorf("%s has tables of %q, want one of each fact", guideFile, found)
	}
	matchesFile(t, guideFile, []byte(guide))
}

// tables lists the members of a definition, then those of the ones it refers to.
func tables(defs map[string]*jsonschema.Schema, name string) string {
	var b strings.Builder
	todo := []string{name}
	for i := 0; i < len(todo); i++ {
		def := defs[todo[i]]
		if i > 0 {
			fmt.Fprintf(&b, "\n`%s`: %s\n", todo[i], def.Description)
		}
		b.WriteString("\n| member | type | what it is |\n|---|---|---|\n")
		for _, member := range def.PropertyOrder {
			s := def.Properties[member]
			kind, ref := describe(s)
			if !slices.Contains(def.Required, member) {
				kind += ", or absent"
			}
			if ref != "" && !slices.Contains(todo, ref) {
				todo = append(todo, ref)
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", member, kind, s.Description)
		}
	}
	return b.String() + "\n"
}

// describe names a schema's type, and the definition that it refers to.
func describe(s *jsonschema.Schema) (kind, ref string) {
	switch {
	case s.Ref != "":
		ref = strings.TrimPrefix(s.Ref, "#/$defs/")
		return "`" + ref + "`", ref
	case s.Items != nil:
		kind, ref = describe(s.Items)
		return "list of " + kind, ref
	case s.Enum != nil:
		var values []string
		for _, v := range s.Enum {
			values = append(values, fmt.Sprintf("`%s`", v))
		}
		return strings.Join(values, ", "), ""
	}
	return s.Type, ""
}

var example = regexp.MustCompile("(?s)```json\n(.*?)```")

func TestGuideExamples(t *testing.T) {
	t.Parallel()
	schema, err := hostSchema(t).Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, bodies := sections(t)
	for _, name := range facts.Names() {
		m := example.FindStringSubmatch(bodies[name])
		if m == nil {
			t.Errorf("the guide has no example of %s", name)
			continue
		}
		var value any
		if err := json.Unmarshal([]byte(m[1]), &value); err != nil {
			t.Errorf("the example of %s is not JSON: %v", name, err)
			continue
		}
		if err := schema.Validate(map[string]any{name: value}); err != nil {
			t.Errorf("the example of %s is not as the schema says: %v", name, err)
		}
		if known := strictly(t, name, []byte(m[1])); known != nil {
			t.Errorf("the example of %s: %v", name, known)
		}
	}
}
