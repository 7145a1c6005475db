package zipmod_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/zipmod"
)

// mode sets an entry's Unix mode.
func mode(m fs.FileMode) func(*zip.FileHeader) {
	return func(h *zip.FileHeader) { h.SetMode(m) }
}

// store leaves an entry uncompressed.
func store(h *zip.FileHeader) { h.Method = zip.Store }

// The records that the rows below change, by their signatures.
const (
	local     = "PK\x03\x04"
	directory = "PK\x01\x02"
)

// A hostileRow is an archive that must be refused, or with no error accepted.
type hostileRow struct {
	about  string
	data   []byte
	limits policy.Limits
	want   string
}

func hostileArchives(t testing.TB) []hostileRow {
	rows := []hostileRow{
		{about: "a comment", data: commented(t, "packed by hand")},
		{about: "directories", data: build(t, minimal, item{name: "scripts/"}, file("scripts/a.sh"), item{name: "empty/"})},
		{about: "a directory after its file", data: build(t, minimal, file("scripts/a.sh"), item{name: "scripts/"})},
		{about: "stored", data: build(t, item{"module.json", minimal.body, store}, item{"a", "b", store})},
		{about: "no data descriptors", data: buildRaw(t, minimal, file("a"))},
		{about: "empty files", data: build(t, minimal, item{name: "a"}, item{"b", "", store}, item{name: "c"})},
		{about: "names that need UTF-8", data: build(t, minimal, file("prüfung/日本.txt"))},
		{about: "UTF-8 without its flag", data: build(t, minimal, item{"prüfung.txt", "x", func(h *zip.FileHeader) { h.NonUTF8 = true }})},
		{about: "the files' own modes", data: build(t, minimal, item{"a.sh", "x", mode(0o755)}, item{"d/", "", mode(fs.ModeDir | 0o700)})},

		{about: "nothing", want: "archive: is empty"},
		{about: "no zip", data: []byte("#!/bin/sh\n"), want: "archive: is not a zip file"},
		{about: "no entries", data: build(t), want: "archive: has no module.json"},
		{about: "no module.json", data: build(t, file("scripts/a.sh")), want: "archive: has no module.json at its root"},
		{about: "the directory packed", data: build(t, file("web/module.json")), want: `has no module.json but "web/module.json"; pack the contents of the directory`},
		{about: "another case", data: build(t, file("Module.JSON")), want: `has "Module.JSON"; it must be a file called "module.json"`},
		{about: "module.json a directory", data: build(t, item{name: "module.json/"}), want: `has "module.json"; it must be a file`},
		{about: "two of them", data: build(t, minimal, minimal), want: `entry "module.json": is there twice`},
		{about: "two but for case", data: build(t, minimal, file("MODULE.json")), want: `"MODULE.json" differs from "module.json" only in case`},

		{about: "one name twice", data: build(t, minimal, file("a"), file("a")), want: `entry "a": is there twice`},
		{about: "one directory twice", data: build(t, minimal, item{name: "a/"}, item{name: "a/"}), want: `entry "a/": is there twice`},
		{about: "case of files", data: build(t, minimal, file("Case.txt"), file("case.txt")), want: `"case.txt" differs from "Case.txt" only in case`},
		{about: "case of directories", data: build(t, minimal, file("A/x"), file("a/y")), want: `"a" differs from "A" only in case`},
		{about: "case beyond ASCII", data: build(t, minimal, file("Ä\u212a"), file("äk")), want: `"äk" differs from`},
		{about: "a file also a directory", data: build(t, minimal, file("f"), file("f/child")), want: `"f" is a file and a directory`},
		{about: "a directory also a file", data: build(t, minimal, file("f/g/child"), file("f/g")), want: `"f/g" is a file and a directory`},

		{about: "a symbolic link", data: build(t, minimal, item{"l", "/etc/passwd", mode(fs.ModeSymlink | 0o777)}), want: `entry "l": is a symbolic link`},
		{about: "a symbolic link of another system", data: build(t, minimal, item{"l", "/etc/passwd", func(h *zip.FileHeader) {
			h.SetMode(fs.ModeSymlink | 0o777)
			h.CreatorVersion = 10 << 8
		}}), want: `entry "l": is a symbolic link`},
		{about: "a device", data: build(t, minimal, item{"d", "", mode(fs.ModeDevice | 0o600)}), want: `entry "d": is a device`},
		{about: "a character device", data: build(t, minimal, item{"d", "", mode(fs.ModeDevice | fs.ModeCharDevice | 0o600)}), want: `entry "d": is a device`},
		{about: "a pipe", data: build(t, minimal, item{"p", "", mode(fs.ModeNamedPipe | 0o600)}), want: `entry "p": is a device or another special file`},
		{about: "a socket", data: build(t, minimal, item{"s", "", mode(fs.ModeSocket | 0o600)}), want: `entry "s": is a device or another special file`},
		{about: "a directory without slash", data: build(t, minimal, item{"d", "", mode(fs.ModeDir | 0o700)}), want: `is a directory whose name does not end in "/"`},
		{about: "a directory without slash in DOS", data: build(t, minimal, item{"d", "", func(h *zip.FileHeader) { h.ExternalAttrs = 0x10 }}), want: `is a directory whose name does not end in "/"`},
		{about: "a directory with content", data: bytes.ReplaceAll(buildRaw(t, minimal, item{name: "dX", body: "x"}), []byte("dX"), []byte("d/")), want: `entry "d/": is a directory with content`},

		{about: "encrypted", data: build(t, minimal, item{"a", "x", func(h *zip.FileHeader) { h.Flags |= 1 }}), want: `entry "a": is encrypted`},
		{about: "its headers encrypted", data: build(t, minimal, item{"a", "x", func(h *zip.FileHeader) { h.Flags |= 1 << 13 }}), want: `entry "a": is encrypted`},
		{about: "bzip2", data: buildRaw(t, minimal, item{"a", "x", func(h *zip.FileHeader) { h.Method = 12 }}), want: `entry "a": is compressed by method 12`},

		{about: "too large", data: build(t, minimal), limits: policy.Limits{Archive: 20}, want: "archive: is larger than the limit of 20 B"},
		{about: "too many entries", data: build(t, minimal, file("a"), file("b")), limits: policy.Limits{Entries: 2}, want: "archive: has 3 entries, the limit is 2"},
		{about: "too many bytes", data: build(t, minimal, file("a"), file("b")), limits: policy.Limits{Unpacked: 35}, want: "archive: holds more than the limit of 35 B"},
		{about: "too well compressed", data: build(t, minimal, item{name: "a", body: strings.Repeat("x", 10_000)}), limits: policy.Limits{Ratio: 100}, want: `entry "a": is compressed more than 100 times`},
		{about: "by default too", data: buildRaw(t, minimal, item{name: "a", body: strings.Repeat("\x00", 8<<20)}), want: `entry "a": is compressed more than 1000 times`},
		{about: "a million entries declared", data: poke(build(t, minimal), -14, 0xfe, 0xff, 0xfe, 0xff), want: "archive: has 65534 entries, the limit is 4096"},
		{about: "more declared than there are", data: poke(build(t, minimal, file("a")), -14, 3, 0, 3, 0), want: "archive: its directory is damaged"},
		{about: "fewer declared than there are", data: poke(build(t, minimal, file("a")), -14, 1, 0, 1, 0), want: "archive: its directory goes on after the 1 entries"},
		{about: "more bytes than declared", data: buildRaw(t, minimal, item{"a", "hello", func(h *zip.FileHeader) { h.UncompressedSize64-- }}), want: `entry "a": is damaged or longer than its header says`},
		{about: "fewer bytes than declared", data: buildRaw(t, minimal, item{"a", "hello", func(h *zip.FileHeader) { h.UncompressedSize64++ }}), want: `entry "a": is damaged or shorter than its header says`},
		{about: "bytes after the compressed data", data: buildRaw(t, minimal, item{"a", "hello", func(h *zip.FileHeader) { h.CompressedSize64 += 3 }}), want: `entry "a": has 3 bytes after its content`},
		{about: "compressed data cut off", data: buildRaw(t, minimal, item{"a", "hello", func(h *zip.FileHeader) { h.CompressedSize64 -= 2 }}), want: `entry "a": is damaged or`},
		{about: "no deflate", data: buildRaw(t, minimal, item{"a", "hello", func(h *zip.FileHeader) { h.CompressedSize64 = 1 }}), want: `entry "a": is damaged or shorter`},
		{about: "a wrong checksum", data: buildRaw(t, minimal, item{"a", "hello", func(h *zip.FileHeader) { h.CRC32++ }}), want: `entry "a": is damaged: its checksum is wrong`},
		{about: "a zero checksum", data: buildRaw(t, minimal, item{"a", "hello", func(h *zip.FileHeader) { h.CRC32 = 0 }}), want: `entry "a": is damaged: its checksum is wrong`},

		{about: "data before the first entry", data: append([]byte("#!/bin/sh\n"), build(t, minimal)...), want: "archive: 10 bytes of it belong to no entry"},
		{about: "data after the end", data: append(build(t, minimal), "rest"...), want: "archive: 4 bytes follow its end"},
		{about: "another zip after the end", data: append(build(t, minimal), build(t, minimal)...), want: "belong to no entry"},
		{about: "cut off in the comment", data: bytes.TrimSuffix(commented(t, "comment"), []byte("ent")), want: "archive: is cut off"},
		{about: "a directory beyond the end", data: poke(build(t, minimal), -6, 0, 0, 1, 0), want: "archive: is cut off"},
		{about: "several disks", data: poke(build(t, minimal), -18, 1, 0), want: "archive: is a part of several"},
		{about: "zip64", data: poke(build(t, minimal), -6, 0xff, 0xff, 0xff, 0xff), want: "archive: is in the zip64 format"},
		{about: "a zip64 locator", data: zip64Located(t), want: "archive: is in the zip64 format"},
		{about: "a zip64 size", data: buildRaw(t, minimal, item{"a", "hello", func(h *zip.FileHeader) { h.UncompressedSize64 = 1 << 32 }}), want: `entry "a": is in the zip64 format`},

		{about: "two names", data: replaceNth(t, build(t, minimal, file("aaa")), 1, "aaa", "bbb"), want: `entry "aaa": has two headers that disagree`},
		{about: "two methods", data: twoMethods(t), want: `entry "a": has two headers that disagree`},
		{about: "two flags", data: twoFlags(t), want: `entry "module.json": has two headers that disagree`},
		{about: "two sizes", data: replaceNth(t, buildRaw(t, minimal, item{name: "a", body: "hello"}), 1, "\x05\x00\x00\x00\x01\x00", "\x06\x00\x00\x00\x01\x00"), want: `entry "a": has two headers that disagree`},
		{about: "a second name in the extra field", data: build(t, minimal, item{"a", "x", func(h *zip.FileHeader) { h.Extra = []byte("\x75\x70\x06\x00\x01\x00\x00\x00\x00b") }}), want: `entry "a": has a second name`},
		{about: "the same name in the extra field", data: build(t, minimal, item{"a", "x", func(h *zip.FileHeader) { h.Extra = []byte("\x75\x70\x06\x00\x01\x00\x00\x00\x00a") }})},
		{about: "a descriptor that disagrees", data: replaceNth(t, build(t, minimal), 1, "PK\x07\x08", "PK\x07\x09"), want: `entry "module.json": has a descriptor that disagrees`},
		{about: "overlapping entries", data: overlapping(t), want: "overlaps another entry"},
		{about: "an entry inside of another", data: nested(t), want: "overlaps another entry"},
		{about: "bytes between entries", data: gap(t), want: `entry "b": 37 bytes before it belong to no entry`},
		{about: "bytes after the last entry", data: gapAtEnd(t), want: "bytes after the last entry belong to no entry"},
		{about: "a header that is none", data: replaceNth(t, build(t, minimal), 1, local, "PK\x03\x05"), want: `entry "module.json": is not where the archive's directory says`},
		{about: "a header that is too long", data: replaceNth(t, build(t, minimal), 1, "\x0b\x00\x00\x00mod", "\xff\xff\xff\xffmod"), want: `entry "module.json": runs beyond the entries`},
	}
	for _, n := range badNames() {
		rows = append(rows, hostileRow{about: n.about, data: build(t, minimal, file(n.name)), want: n.want})
	}
	return rows
}

func badNames() []struct{ about, name, want string } {
	rows := []struct{ about, name, want string }{
		{"no name", "", "has no name"},
		{"only a slash", "/", "has no name"},
		{"absolute", "/etc/passwd", "is absolute"},
		{"out of the zip", "../evil", `holds ".."`},
		{"out and in", "a/../../evil", `holds ".."`},
		{"at its end", "a/..", `holds ".."`},
		{"a dot", "./a", `holds "."`},
		{"a dot within", "a/./b", `holds "."`},
		{"an empty part", "a//b", "has an empty part"},
		{"two slashes at the end", "a//", "has an empty part"},
		{"a backslash", `a\b`, "holds a backslash"},
		{"a drive", "C:/x", "has a drive letter"},
		{"a drive without slash", "c:x", "has a drive letter"},
		{"a stream", "a.txt:stream", "which Windows cannot have"},
		{"a NUL", "a\x00b", "holds a NUL or another control character"},
		{"a line break", "a\nb", "control character"},
		{"an escape", "a\x1b[31m", "control character"},
		{"a C1 control character", "a\u009b31m", "control character"},
		{"a right-to-left override", "a\u202egnp.sh", "control character"},
		{"no UTF-8", "a\xff", "is not UTF-8"},
		{"half a surrogate", "a\xed\xa0\x80", "is not UTF-8"},
		{"a long part", strings.Repeat("a", 256), "longer than 255 bytes"},
		{"a long name", strings.Repeat("a/", 600) + "a", "longer than 1024 bytes"},
		{"a deep name", strings.Repeat("a/", 32) + "a", "is more than 32 directories deep"},
		{"a star", "a*b", "which Windows cannot have"},
		{"a trailing dot", "a./b", "ends in a dot or a blank"},
		{"a trailing blank", "a /b", "ends in a dot or a blank"},
		{"three dots", ".../b", "ends in a dot or a blank"},
	}
	for _, root := range policy.Roots() {
		upper := strings.ToUpper(root[:1]) + root[1:]
		rows = append(rows, struct{ about, name, want string }{"the root " + root, upper + "/x", "/" + root + " is not the zip's"})
	}
	for _, device := range []string{"con", "NUL", "aux.txt", "x/Com1.tar.gz", "lpt9", "COM²", "conin$", "prn .txt"} {
		rows = append(rows, struct{ about, name, want string }{"the device " + device, device, "is a device on Windows"})
	}
	return rows
}

func TestReadJudgesArchives(t *testing.T) {
	t.Parallel()
	for _, row := range hostileArchives(t) {
		t.Run(row.about, func(t *testing.T) {
			t.Parallel()
			opts := zipmod.Options{Limits: row.limits}
			m, err := zipmod.Read("x", row.data, opts)
			switch {
			case row.want != "":
				wantError(t, "archive", err, row.want)
			case err != nil:
				t.Error(err)
			default:
				checkModule(t, m, row.data, opts)
			}
		})
	}
}

func TestReadTakesUnusualNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"a", "a b", " a", ".hidden", "..a", "a..b", "-x", "hosts/x", "x/host", "x/dev", "console", "com10", "com", "c",
		"[x].sh", "{a}", "~", "$HOME", "a'b", "ß", "SS", strings.Repeat("a", 255), strings.Repeat("a/", 31) + "a",
	} {
		if _, err := zipmod.Read("x", build(t, minimal, file(name)), zipmod.Options{}); err != nil {
			t.Errorf("%.40q: %v", name, err)
		}
	}
}

func TestReadListsAllMistakes(t *testing.T) {
	t.Parallel()
	items := []item{minimal, file("/a"), file("b/../c"), {"l", "x", mode(fs.ModeSymlink)}}
	_, err := zipmod.Read("x", build(t, items...), zipmod.Options{})
	wantError(t, "three mistakes", err, `"/a"`, `"b/../c"`, `"l"`)
	for i := range 200 {
		items = append(items, file(fmt.Sprint("/", i)))
	}
	_, err = zipmod.Read("x", build(t, items...), zipmod.Options{})
	wantError(t, "many mistakes", err, "and more mistakes")
	if n := strings.Count(err.Error(), "\n"); n != 100 {
		t.Errorf("%d lines, want 101", n+1)
	}
}

func TestReadRefusesEveryPrefix(t *testing.T) {
	t.Parallel()
	for _, data := range [][]byte{nsclient(t), buildRaw(t, minimal, file("a"))} {
		for n := range data {
			if _, err := zipmod.Read("x", data[:n], zipmod.Options{}); err == nil {
				t.Errorf("accepted the first %d of %d bytes", n, len(data))
			}
		}
	}
}

// A zip with one bit turned is refused, or it still is what it was but for
// what carries no meaning, such as times.
func TestReadSurvivesEveryBit(t *testing.T) {
	t.Parallel()
	for _, data := range [][]byte{build(t, minimal, file("a/b")), buildRaw(t, minimal, file("a/b"))} {
		want, err := zipmod.Read("x", data, zipmod.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for bit := range 8 * len(data) {
			turned := bytes.Clone(data)
			turned[bit/8] ^= 1 << (bit % 8)
			m, err := zipmod.Read("x", turned, zipmod.Options{})
			if err == nil && !reflect.DeepEqual(contents(m), contents(want)) {
				t.Errorf("bit %d of byte %d: %v, want %v", bit%8, bit/8, contents(m), contents(want))
			}
		}
	}
}

func contents(m *zipmod.Module) map[string]string {
	files := map[string]string{}
	for _, f := range m.Files {
		files[f.Name] = string(f.Data)
	}
	return files
}

func TestReadKeepsTimesThatAZipCanSay(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ in, want time.Time }{
		{time.Date(2024, 2, 29, 12, 30, 1, 0, time.UTC), time.Date(2024, 2, 29, 12, 30, 1, 0, time.UTC)},
		{time.Date(2024, 2, 29, 12, 30, 1, 0, time.FixedZone("", 3600)), time.Date(2024, 2, 29, 11, 30, 1, 0, time.UTC)},
		{time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)},
		{time.Time{}, time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		data := build(t, minimal, item{"a", "", func(h *zip.FileHeader) { h.Modified = row.in }})
		m, err := zipmod.Read("x", data, zipmod.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Files[0].ModTime; !got.Equal(row.want) || got.Location() != time.UTC {
			t.Errorf("%v: got %v, want %v", row.in, got, row.want)
		}
	}
}

// checkModule fails the test unless m is what a Module guarantees, and the
// files are what archive/zip finds in data.
func checkModule(t testing.TB, m *zipmod.Module, data []byte, opts zipmod.Options) {
	t.Helper()
	checkFiles(t, m, data)
	limits := opts.Limits.WithDefaults()
	var size policy.Bytes
	for i, f := range m.Files {
		size += policy.Bytes(len(f.Data))
		if !fs.ValidPath(f.Name) || strings.ContainsAny(f.Name, "\\\x00") || i > 0 && m.Files[i-1].Name >= f.Name || cap(f.Data) != len(f.Data) {
			t.Errorf("file %d, %q, of capacity %d and length %d", i, f.Name, cap(f.Data), len(f.Data))
		}
	}
	if size > limits.Unpacked || len(m.Files) > limits.Entries {
		t.Errorf("%d files of %v", len(m.Files), size)
	}
	checkCommands(t, m, opts)
}

// checkFiles compares the files with those of archive/zip.
func checkFiles(t testing.TB, m *zipmod.Module, data []byte) {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		want[f.Name] = string(body)
	}
	if !reflect.DeepEqual(contents(m), want) {
		t.Errorf("files %q, want %q", contents(m), want)
	}
}

func checkCommands(t testing.TB, m *zipmod.Module, opts zipmod.Options) {
	t.Helper()
	aliases := map[string]bool{}
	for _, s := range m.Scripts {
		_, there := contents(m)[s.File]
		if there == (s.Absent != nil) || s.Absent != opts.Absent[s.File] && !there {
			t.Errorf("script %q: there is %v, absent %v", s.File, there, s.Absent)
		}
		alias := strings.ToLower(s.Alias)
		if alias == "" || aliases[alias] || strings.ContainsAny(alias, " !/\\\n") || len(s.Command) == 0 {
			t.Errorf("command %q of %q: %q", s.Alias, s.File, s.Command)
		}
		aliases[alias] = true
	}
	for _, words := range m.OnStart {
		if len(words) == 0 || words[0] == "" {
			t.Errorf("on_start %q", words)
		}
	}
	if _, err := policy.ParsePatterns(m.Permissions); err != nil || m.Title == "" {
		t.Errorf("title %q, permissions %v", m.Title, err)
	}
}
