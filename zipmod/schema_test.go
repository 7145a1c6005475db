package zipmod_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/wasmagent/wasmagent/zipmod"
)

var update = flag.Bool("update", false, "write the generated files anew")

const schemaFile = "../docs/module.schema.json"

func TestSchemaIsPublished(t *testing.T) {
	t.Parallel()
	want, err := zipmod.Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")); !bytes.Equal(got, want) {
		t.Errorf("%s is not what the code says; run go generate ./zipmod", schemaFile)
	}
}

// The schema refuses nothing that Read accepts, and finds the mistakes that
// editors can show.
func TestSchemaAgreesWithRead(t *testing.T) {
	t.Parallel()
	schema := resolved(t)
	documented, err := os.ReadFile("testdata/nsclient.module.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(schema, string(documented)); err != nil {
		t.Errorf("the documented example: %v", err)
	}
	seen := 0
	for _, row := range manifests() {
		err := validate(schema, row.text)
		switch {
		case err != nil && row.want == nil:
			t.Errorf("%s: %v", row.about, err)
		case err == nil && visible(row.want):
			t.Errorf("%s: the schema accepts it", row.about)
		case err != nil:
			seen++
		}
	}
	if seen == 0 {
		t.Error("the schema refuses nothing")
	}
}

// The example of the documentation is a module.
func TestDocumentationIsRight(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/modules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(strings.ReplaceAll(string(text), "\r\n", "\n"), "```json\n")
	example, _, found := strings.Cut(rest, "```\n")
	if !found {
		t.Fatal("the documentation has no example")
	}
	if err := validate(resolved(t), example); err != nil {
		t.Error(err)
	}
	data := build(t, manifest(example), file("scripts/check_site.wasm"), file("scripts/check_queue.sh"))
	m, err := zipmod.Read("web-checks.zip", data, zipmod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Scripts) != 2 || m.Scripts[1].Alias != "check_mail_queue" {
		t.Errorf("scripts %+v", m.Scripts)
	}
}

// visible tells whether one of the mistakes is of a kind that a schema can
// describe: a wrong type, an unknown or missing key, a wrong text.
func visible(mistakes []string) bool {
	for _, mistake := range mistakes {
		for _, kind := range []string{"unknown key", `has no "`, "; write a string", "; write a list", "; write a name", "; write 1 to"} {
			if strings.Contains(mistake, kind) {
				return true
			}
		}
	}
	return false
}

// resolved is the schema, ready to validate.
func resolved(t testing.TB) *jsonschema.Resolved {
	t.Helper()
	text, err := zipmod.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func validate(schema *jsonschema.Resolved, text string) error {
	var value any
	if err := json.Unmarshal([]byte(strings.TrimPrefix(text, "\ufeff")), &value); err != nil {
		return err
	}
	return schema.Validate(value)
}
