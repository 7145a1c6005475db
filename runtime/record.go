package runtime

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"slices"

	"github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// A record is what the cache keeps of a program beside its code. Only programs that
// were not refused have one.
type record struct {
	Program prepare.Program
	Code    string // the key of the code
}

// A header is a record without Wasm, which follows it.
type header struct {
	Record record
	Wasm   int // bytes
}

// encode makes an entry of the cache of a record: the length of the header as a
// varint, the header (https://pkg.go.dev/encoding/gob), and the Wasm.
func (r record) encode() ([]byte, error) {
	h := header{r, len(r.Program.Wasm)}
	h.Record.Program.Wasm = nil
	var head bytes.Buffer
	if err := gob.NewEncoder(&head).Encode(h); err != nil {
		return nil, err
	}
	length := binary.AppendUvarint(nil, uint64(head.Len()))
	return slices.Concat(length, head.Bytes(), r.Program.Wasm), nil
}

// decode is the record of an entry. Its Wasm is a part of the entry.
func decode(entry []byte) (record, error) {
	size, n := binary.Uvarint(entry)
	if n <= 0 || size > uint64(len(entry)-n) {
		return record{}, errRecord
	}
	head, wasm := entry[n:n+int(size)], entry[n+int(size):]
	var h header
	if err := gob.NewDecoder(bytes.NewReader(head)).Decode(&h); err != nil {
		return record{}, err
	}
	if len(wasm) != h.Wasm {
		return record{}, errRecord
	}
	h.Record.Program.Wasm = wasm
	return h.Record, nil
}

var errRecord = errors.New("it is no record of a program")
