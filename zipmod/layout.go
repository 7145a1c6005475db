package zipmod

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/wasmagent/wasmagent/policy"
)

// The records of a zip, by their signatures and the sizes of their fixed parts.
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.3
const (
	localSignature      = "PK\x03\x04"
	localSize           = 30
	directorySignature  = "PK\x01\x02"
	directorySize       = 46
	descriptorSignature = "PK\x07\x08"
	endSignature        = "PK\x05\x06"
	endSize             = 22
	locator64Signature  = "PK\x06\x07"
	locator64Size       = 20
)

// The bits of an entry's flags that change what it means.
const (
	flagEncrypted  = 1<<0 | 1<<6 | 1<<13
	flagDescriptor = 1 << 3
	flagUTF8       = 1 << 11
	flagsThatTell  = flagEncrypted | flagDescriptor | flagUTF8
)

var errCutOff = errors.New("archive: is cut off; copy or pack it again")

// An entry is a header of the archive's directory with the bytes that it
// describes.
type entry struct {
	*zip.FileHeader
	offset int64  // of its local header
	raw    []byte // its content, compressed
}

// layout finds the entries of an archive, in the directory's order. It
// refuses an archive that has anything but its entries, back to back, their
// directory and the end record, and headers that disagree: nothing is left on
// which two readers of the archive could differ.
func layout(data []byte, limits policy.Limits) ([]entry, error) {
	end, err := findEnd(data)
	if err != nil {
		return nil, err
	}
	if end.entries > limits.Entries {
		return nil, fmt.Errorf("archive: has %d entries, the limit is %d; leave some out or raise the limit \"entries\"", end.entries, limits.Entries)
	}
	entries, err := directory(data, end)
	if err != nil {
		return nil, err
	}
	return entries, tile(data[:end.directory], entries)
}

// An endRecord says where the directory of an archive is.
type endRecord struct {
	at        int // where the record is, and where the directory ends
	directory int // where the directory begins
	entries   int
}

// findEnd reads the end record, which may hold a comment and must be the last
// thing in the archive.
func findEnd(data []byte) (endRecord, error) {
	at := bytes.LastIndex(data, []byte(endSignature))
	if at < 0 || len(data)-at < endSize {
		return endRecord{}, noEnd(data)
	}
	b, le := data[at:], binary.LittleEndian
	size, offset := int64(le.Uint32(b[12:])), int64(le.Uint32(b[16:]))
	end := endRecord{at: at, entries: int(le.Uint16(b[8:]))}
	switch comment := int(le.Uint16(b[20:])); {
	case endSize+comment > len(b):
		return end, errCutOff
	case endSize+comment < len(b):
		return end, fmt.Errorf("archive: %d bytes follow its end; pack it again", len(b)-endSize-comment)
	case end.entries == 0xffff || size == 0xffffffff || offset == 0xffffffff || hasLocator64(data[:at]):
		return end, errors.New("archive: is in the zip64 format, for more than 4 GiB; pack it as a plain zip")
	case le.Uint32(b[4:]) != 0 || le.Uint16(b[10:]) != le.Uint16(b[8:]):
		return end, errors.New("archive: is a part of several; pack it as one zip")
	case size+offset > int64(at):
		return end, errCutOff
	case size+offset < int64(at):
		return end, fmt.Errorf("archive: %d bytes of it belong to no entry; pack it again", int64(at)-size-offset)
	}
	end.directory = int(offset)
	return end, nil
}

func noEnd(data []byte) error {
	switch {
	case len(data) == 0:
		return errors.New("archive: is empty; copy or pack it again")
	case bytes.HasPrefix(data, []byte("PK")):
		return errCutOff
	}
	return errors.New("archive: is not a zip file")
}

func hasLocator64(data []byte) bool {
	return len(data) >= locator64Size && bytes.HasPrefix(data[len(data)-locator64Size:], []byte(locator64Signature))
}

// directory decodes the directory's headers. It counts them before
// archive/zip, which allocates for as many as there are, gets to see them.
func directory(data []byte, end endRecord) ([]entry, error) {
	offsets, err := localOffsets(data[end.directory:end.at], end.entries)
	if err != nil {
		return nil, err
	}
	// An unsafe name is no matter here: checkName judges all names.
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("archive: %w; pack it again", err)
	}
	if len(archive.File) != len(offsets) {
		return nil, errors.New("archive: its directory is damaged; copy or pack it again")
	}
	entries := make([]entry, len(offsets))
	for i, f := range archive.File {
		entries[i] = entry{FileHeader: &f.FileHeader, offset: offsets[i]}
	}
	return entries, nil
}

// localOffsets lists where the entries' local headers are. The directory must
// consist of as many headers as the end record declares.
func localOffsets(b []byte, count int) ([]int64, error) {
	offsets, le := make([]int64, 0, min(count, len(b)/directorySize)), binary.LittleEndian
	for range count {
		if len(b) < directorySize || !bytes.HasPrefix(b, []byte(directorySignature)) {
			return nil, errors.New("archive: its directory is damaged; copy or pack it again")
		}
		offsets = append(offsets, int64(le.Uint32(b[42:])))
		size := directorySize + int(le.Uint16(b[28:])) + int(le.Uint16(b[30:])) + int(le.Uint16(b[32:]))
		b = b[min(size, len(b)):]
	}
	if len(b) > 0 {
		return nil, fmt.Errorf("archive: its directory goes on after the %d entries that it declares; pack it again", count)
	}
	return offsets, nil
}

// tile finds each entry's bytes. data is the archive up to its directory, and
// every byte must belong to exactly one entry.
func tile(data []byte, entries []entry) error {
	order := make([]*entry, len(entries))
	for i := range entries {
		order[i] = &entries[i]
	}
	slices.SortStableFunc(order, func(a, b *entry) int { return cmp.Compare(a.offset, b.offset) })
	var at int64
	for _, e := range order {
		if e.offset < at {
			return e.errorf("overlaps another entry; pack the zip again")
		}
		if e.offset > at {
			return e.errorf("%d bytes before it belong to no entry; pack the zip again", e.offset-at)
		}
		size, err := e.locate(data[at:])
		if err != nil {
			return err
		}
		at += size
	}
	if rest := int64(len(data)) - at; rest > 0 {
		return fmt.Errorf("archive: %d bytes after the last entry belong to no entry; pack it again", rest)
	}
	return nil
}

// locate finds the entry's content behind its local header, which data begins
// with, and returns the size of all that belongs to the entry.
func (e *entry) locate(data []byte) (int64, error) {
	if len(data) < localSize || !bytes.HasPrefix(data, []byte(localSignature)) {
		return 0, e.errorf("is not where the archive's directory says; copy or pack the zip again")
	}
	le := binary.LittleEndian
	name := localSize + int(le.Uint16(data[26:]))
	body := name + int(le.Uint16(data[28:]))
	if e.CompressedSize == 0xffffffff || e.UncompressedSize == 0xffffffff {
		return 0, e.errorf("is in the zip64 format, for more than 4 GiB; pack the zip without it")
	}
	if body > len(data) || uint64(len(data)-body) < e.CompressedSize64 {
		return 0, e.errorf("runs beyond the entries of the archive; copy or pack the zip again")
	}
	if string(data[localSize:name]) != e.Name || !e.agrees(data) {
		return 0, e.errorf("has two headers that disagree; pack the zip again")
	}
	if otherName(data[name:body], e.Name) || otherName(e.Extra, e.Name) {
		return 0, e.errorf("has a second name; pack the zip again")
	}
	end := body + int(e.CompressedSize64)
	e.raw = data[body:end:end]
	descriptor, err := e.descriptor(data[end:])
	return int64(end + descriptor), err
}

// agrees tells whether the local header says the same as the directory's. The
// sum and the sizes may come later, in a descriptor.
func (e *entry) agrees(local []byte) bool {
	le := binary.LittleEndian
	later := e.Flags&flagDescriptor != 0
	same := func(offset int, want uint32) bool {
		got := le.Uint32(local[offset:])
		return got == want || later && (got == 0 || got == 0xffffffff)
	}
	return (le.Uint16(local[6:])^e.Flags)&flagsThatTell == 0 &&
		le.Uint16(local[8:]) == e.Method &&
		same(14, e.CRC32) && same(18, e.CompressedSize) && same(22, e.UncompressedSize)
}

// otherName tells whether the extra fields of a header hold a Unicode path, which
// some readers prefer, that is not the entry's name. APPNOTE.TXT, section 4.6.9
func otherName(extra []byte, name string) bool {
	const unicodePath, versionAndSum = 0x7075, 5
	le := binary.LittleEndian
	for len(extra) >= 4 {
		id, size := le.Uint16(extra), min(int(le.Uint16(extra[2:])), len(extra)-4)
		field := extra[4 : 4+size]
		if id == unicodePath && (size < versionAndSum || string(field[versionAndSum:]) != name) {
			return true
		}
		extra = extra[4+size:]
	}
	return false
}

// descriptor returns the size of the data descriptor at the beginning of data:
// zero if the entry has none. It comes in four forms, and what follows it
// tells them apart: another record, or the end of the entries.
func (e *entry) descriptor(data []byte) (int, error) {
	if e.Flags&flagDescriptor == 0 {
		return 0, nil
	}
	var short, long [20]byte
	le := binary.LittleEndian
	le.PutUint32(short[0:], e.CRC32)
	le.PutUint32(short[4:], e.CompressedSize)
	le.PutUint32(short[8:], e.UncompressedSize)
	le.PutUint32(long[0:], e.CRC32)
	le.PutUint64(long[4:], e.CompressedSize64)
	le.PutUint64(long[12:], e.UncompressedSize64)
	forms := []string{string(short[:12]), string(long[:])}
	for _, form := range append(forms, descriptorSignature+forms[0], descriptorSignature+forms[1]) {
		rest, ok := bytes.CutPrefix(data, []byte(form))
		if ok && (len(rest) == 0 || bytes.HasPrefix(rest, []byte(localSignature))) {
			return len(form), nil
		}
	}
	return 0, e.errorf("has a descriptor that disagrees with its header; copy or pack the zip again")
}

// errorf is an error about the entry.
func (e *entry) errorf(format string, args ...any) error {
	return fmt.Errorf("entry %.200q: %w", e.Name, fmt.Errorf(format, args...))
}
