package zipmod_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"hash/crc32"
	"io"
	"strings"
	"testing"
)

// An item is one entry of a zip that a test builds.
type item struct {
	name, body string
	change     func(*zip.FileHeader) // of the header, before it is written; may be nil
}

// build writes a zip as archive/zip would, data descriptors and all.
func build(t testing.TB, items ...item) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, i := range items {
		h := &zip.FileHeader{Name: i.name, Method: zip.Deflate}
		if i.change != nil {
			i.change(h)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(i.name, "/") {
			continue
		}
		if _, err := io.WriteString(f, i.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// buildRaw writes a zip without data descriptors, in which the headers may say
// anything.
func buildRaw(t testing.TB, items ...item) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, i := range items {
		raw := deflate(t, i.body)
		h := &zip.FileHeader{
			Name: i.name, Method: zip.Deflate, CRC32: crc32.ChecksumIEEE([]byte(i.body)),
			CompressedSize64: uint64(len(raw)), UncompressedSize64: uint64(len(i.body)),
		}
		if i.change != nil {
			i.change(h)
		}
		f, err := w.CreateRaw(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(raw[:min(len(raw), int(h.CompressedSize64))]); err != nil {
			t.Fatal(err)
		}
		if extra := int(h.CompressedSize64) - len(raw); extra > 0 {
			if _, err := f.Write(make([]byte, extra)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func deflate(t testing.TB, body string) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// manifest is an entry with a module.json.
func manifest(text string) item { return item{name: "module.json", body: text} }

// minimal is the least module.json.
var minimal = manifest(`{"name": "x"}`)

// file is an entry whose content does not matter.
func file(name string) item { return item{name: name, body: "content of " + name} }

// replaceNth replaces the nth occurrence, counted from 1, of old in data.
func replaceNth(t testing.TB, data []byte, n int, old, new string) []byte {
	t.Helper()
	at := 0
	for ; n > 0; n-- {
		next := bytes.Index(data[at:], []byte(old))
		if next < 0 {
			t.Fatalf("%q is not often enough in the zip", old)
		}
		at += next + 1
	}
	at--
	return append(append(bytes.Clone(data[:at]), new...), data[at+len(old):]...)
}

// poke changes bytes of data, at an offset from its end if that is negative.
func poke(data []byte, at int, with ...byte) []byte {
	data = bytes.Clone(data)
	if at < 0 {
		at += len(data)
	}
	copy(data[at:], with)
	return data
}
