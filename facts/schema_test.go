package facts_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/wasmagent/wasmagent/facts"
)

var update = flag.Bool("update", false, "write docs/host.schema.json, the tables of docs/host.md and the types of guest/host")

const schemaFile = "../docs/host.schema.json"

func TestSchemaIsCurrent(t *testing.T) {
	t.Parallel()
	text, err := json.MarshalIndent(hostSchema(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	matchesFile(t, schemaFile, append(text, '\n'))
}

// matchesFile compares a generated file with the committed one, or writes it.
func matchesFile(t *testing.T, name string, want []byte) {
	t.Helper()
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
		t.Errorf("%s is not what the types say; run: go test ./facts -update", name)
	}
}

// hostSchema is the schema of the object that holds every document under its
// name, made from the types and their comments.
func hostSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	g := generator{t: t, source: readSource(t), defs: map[string]*jsonschema.Schema{}}
	root := &jsonschema.Schema{
		Schema:      "https://json-schema.org/draft/2020-12/schema",
		Title:       "Facts about the machine",
		Description: "Each property is one document: the file of that name in /host. A figure that is not known is absent, never null. Later versions may add members.",
		Type:        "object",
		Properties:  map[string]*jsonschema.Schema{},
		Defs:        g.defs,
	}
	for _, name := range facts.Names() {
		root.Properties[name] = g.of(documentType(t, name))
		root.PropertyOrder = append(root.PropertyOrder, name)
	}
	return root
}

// documentType is what the Source's method of that name returns.
func documentType(t *testing.T, name string) reflect.Type {
	t.Helper()
	source := reflect.TypeFor[*facts.Source]()
	for method := range source.Methods() {
		if strings.EqualFold(method.Name, name) {
			return method.Type.Out(0)
		}
	}
	t.Fatalf("fact %q: Source has no method of that name", name)
	return nil
}

type generator struct {
	t      *testing.T
	source source
	defs   map[string]*jsonschema.Schema
}

func (g generator) of(typ reflect.Type) *jsonschema.Schema {
	switch typ.Kind() {
	case reflect.Struct:
		return g.object(typ)
	case reflect.Slice:
		return &jsonschema.Schema{Type: "array", Items: g.of(typ.Elem())}
	case reflect.Pointer:
		return g.of(typ.Elem())
	case reflect.String:
		return &jsonschema.Schema{Type: "string", Enum: g.source.values[typ.Name()]}
	case reflect.Bool:
		return &jsonschema.Schema{Type: "boolean"}
	case reflect.Float64:
		return &jsonschema.Schema{Type: "number"}
	case reflect.Int, reflect.Int32, reflect.Uint64:
		return &jsonschema.Schema{Type: "integer", Minimum: new(0.0)}
	}
	g.t.Fatalf("the schema generator does not know %v", typ)
	return nil
}

// object defines a struct once and refers to it.
func (g generator) object(typ reflect.Type) *jsonschema.Schema {
	name := snake(typ.Name())
	ref := &jsonschema.Schema{Ref: "#/$defs/" + name}
	if g.defs[name] != nil {
		return ref
	}
	s := &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{}}
	s.Description = g.comment(typ.Name())
	g.defs[name] = s
	for field := range typ.Fields() {
		member, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		s.Properties[member] = g.member(typ, field, member)
		s.PropertyOrder = append(s.PropertyOrder, member)
		if options != "omitempty" {
			s.Required = append(s.Required, member)
		}
	}
	return ref
}

func (g generator) member(typ reflect.Type, field reflect.StructField, name string) *jsonschema.Schema {
	s := g.of(field.Type)
	s.Description = g.comment(typ.Name() + "." + field.Name)
	if strings.HasSuffix(name, "_ratio") && s.Type == "number" {
		s.Minimum, s.Maximum = new(0.0), new(1.0)
	}
	return s
}

func (g generator) comment(of string) string {
	text := g.source.comments[of]
	if text == "" {
		g.t.Errorf("%s has no comment; the schema needs one", of)
	}
	_, name, ok := strings.Cut(of, ".")
	if !ok {
		name = of
	}
	text = strings.TrimPrefix(text, name+" is ")
	text = strings.TrimPrefix(text, name+" ")
	return strings.ToUpper(text[:min(1, len(text))]) + text[min(1, len(text)):]
}

func snake(name string) string {
	return strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(name, "${1}_$2"))
}

// source is what the package's source says that reflection does not.
type source struct {
	comments map[string]string // by "Type" and "Type.Field"
	values   map[string][]any  // the constants of a string type
}

func readSource(t *testing.T) source {
	t.Helper()
	s := source{map[string]string{}, map[string][]any{}}
	for _, name := range sourceFiles(t) {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if d, ok := d.(*ast.GenDecl); ok {
				s.declaration(d)
			}
		}
	}
	return s
}

// sourceFiles are the package's files but for its tests.
func sourceFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
}

func (s source) declaration(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			s.comments[spec.Name.Name] = oneLine(d.Doc)
			if typ, ok := spec.Type.(*ast.StructType); ok {
				s.fields(spec.Name.Name, typ)
			}
		case *ast.ValueSpec:
			s.constant(spec)
		}
	}
}

func (s source) fields(of string, typ *ast.StructType) {
	for _, f := range typ.Fields.List {
		for _, name := range f.Names {
			s.comments[of+"."+name.Name] = oneLine(f.Doc)
		}
	}
}

func (s source) constant(spec *ast.ValueSpec) {
	typ, ok := spec.Type.(*ast.Ident)
	if !ok || len(spec.Values) != 1 {
		return
	}
	if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
		if value, err := strconv.Unquote(literal.Value); err == nil {
			s.values[typ.Name] = append(s.values[typ.Name], value)
		}
	}
}

func oneLine(doc *ast.CommentGroup) string { return strings.Join(strings.Fields(doc.Text()), " ") }

// strictly tells what is wrong with a document if it has members that its type
// lacks, which the schema allows.
func strictly(t *testing.T, name string, text []byte) error {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(reflect.New(documentType(t, name)).Interface())
}
