package zipmod

import (
	"bytes"
	"encoding/json"
)

// A schema is a JSON Schema, draft 2020-12, as far as shapes need it.
// https://json-schema.org/draft/2020-12
type schema struct {
	Version     string            `json:"$schema,omitempty"`
	ID          string            `json:"$id,omitempty"`
	Title       string            `json:"title,omitempty"`
	Description string            `json:"description,omitempty"`
	AnyOf       []schema          `json:"anyOf,omitempty"`
	Type        string            `json:"type,omitempty"`
	Pattern     string            `json:"pattern,omitempty"`
	MaxLength   int               `json:"maxLength,omitempty"`
	Items       *schema           `json:"items,omitempty"`
	Properties  map[string]schema `json:"properties,omitempty"`
	Required    []string          `json:"required,omitempty"`
	Closed      *bool             `json:"additionalProperties,omitempty"`
	Examples    []any             `json:"examples,omitempty"`
}

// Schema returns the JSON Schema of module.json (draft 2020-12, indented),
// which docs/module.schema.json publishes for editors. It refuses nothing that
// Read accepts.
func Schema() ([]byte, error) {
	root := manifestShape().schema()
	root.Version = "https://json-schema.org/draft/2020-12/schema"
	root.ID = "https://raw.githubusercontent.com/wasmagent/wasmagent/main/docs/module.schema.json"
	root.Title = manifestName + " of a wasmagent zip module"
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(root)
	return out.Bytes(), err
}

// schema writes a shape as a JSON Schema.
func (s shape) schema() schema {
	var kinds []schema
	if s.text != nil {
		kinds = append(kinds, schema{Type: "string", Pattern: s.text.pattern().String(), MaxLength: s.text.most})
	}
	if s.list != nil {
		items := s.list.schema()
		kinds = append(kinds, schema{Type: "array", Items: &items})
	}
	if s.keys != nil {
		kinds = append(kinds, objectSchema(s.keys))
	}
	whole := schema{AnyOf: kinds}
	if len(kinds) == 1 {
		whole = kinds[0]
	}
	whole.Description = s.doc
	if s.like != nil {
		whole.Examples = []any{s.like}
	}
	return whole
}

func objectSchema(keys []key) schema {
	object := schema{Type: "object", Properties: map[string]schema{}, Closed: new(bool)}
	for _, k := range keys {
		object.Properties[k.name] = k.schema()
		if k.required {
			object.Required = append(object.Required, k.name)
		}
	}
	return object
}
