package runtime

import (
	"bytes"
	"encoding/gob"

	"github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// A record is what the cache keeps of a program beside its code. Only programs that
// were not refused have one.
type record struct {
	Program prepare.Program
	Code    string // the key of the code
}

// encode makes an entry of the cache of a record: all but the Wasm
// (https://pkg.go.dev/encoding/gob), then that.
func (r record) encode() ([]byte, error) {
	wasm := r.Program.Wasm
	r.Program.Wasm = nil
	var entry bytes.Buffer
	if err := gob.NewEncoder(&entry).Encode(r); err != nil {
		return nil, err
	}
	return append(entry.Bytes(), wasm...), nil
}

// decode is the record of an entry. Its Wasm is a part of the entry.
func decode(entry []byte) (r record, err error) {
	rest := bytes.NewReader(entry) // of which a Decoder reads no more than it needs
	if err := gob.NewDecoder(rest).Decode(&r); err != nil {
		return record{}, err
	}
	r.Program.Wasm = entry[len(entry)-rest.Len():]
	return r, nil
}
