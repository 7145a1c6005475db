// Package facts reads facts about the machine, the same on every operating
// system: sizes in bytes, times in seconds, shares as fractions of 1.
//
// Each fact is a Go type for built-in checks and, under the same name, a JSON
// document for scripts, which find it at /host/NAME. The documents' schema is
// docs/host.schema.json, generated from the types.
//
// The package only reads. A Source is safe for concurrent use.
package facts
