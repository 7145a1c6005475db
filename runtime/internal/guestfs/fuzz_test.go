package guestfs_test

import (
	"bytes"
	"context"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	experimental "github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/guestfs"
	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

// A landing is a directory of the host that takes note of the path that led to it.
type landing struct {
	experimental.UnimplementedFS
	at     string
	landed *string
}

func (l landing) OpenFile(rest string, _ experimental.Oflag, _ fs.FileMode) (experimental.File, experimental.Errno) {
	*l.landed = l.at + "/" + rest
	return nil, experimental.EIO
}

// landings is a root in which every path that takes a grant can be opened, and
// landed is set to the one that was, "." for what is at the top of a directory.
func landings(landed *string) guestfs.Config {
	c := guestfs.Config{
		Files:       []guestfs.File{file("module.json"), file("scripts/a.wasm")},
		Directories: map[string]guestfs.Directory{},
		Commands: func(name string) (guestfs.Command, bool) {
			*landed = "/command/" + name
			return func(context.Context, []string) []byte { return nil }, false
		},
	}
	for _, at := range []string{"/files/a", "/files/b.log", "/files/a b", "/state"} {
		c.Directories[at] = func(hostfs.Run) (experimental.FS, func(), error) {
			return landing{at: at, landed: landed}, func() {}, nil
		}
	}
	return c
}

// FuzzGrants opens paths with any grant and any request, and wants each that leads
// anywhere to be matched by both, as a regular expression made of them matches.
func FuzzGrants(f *testing.F) {
	w := newWorld(f)
	grants, rows := w.narrow()
	for i, row := range rows {
		f.Add(grants[i%len(grants)], "/"+capability(row.path)+"/**", row.path)
		f.Add("/files/*/**", grants[i%len(grants)], row.path)
	}
	f.Add("/files/a/**", "/files/*/x*", "files/a/x.log")
	f.Add("/command/*", "/command/**", "command/a/b")
	f.Add("/command/c?d", "/command/*", "command/cxd")
	f.Add("/state/**", "/state", "state")
	f.Add("/files/a b/**", "/files/a b/*", "files/a b/c")
	f.Fuzz(func(t *testing.T, grant, request, name string) {
		granted, err1 := policy.ParseGrants([]string{grant})
		asked, err2 := policy.ParsePatterns([]string{request})
		if err1 != nil || err2 != nil || strings.ContainsAny(grant+request, "[{") || !utf8.ValidString(name) {
			return
		}
		landed := ""
		c := landings(&landed)
		var tried []guestfs.Attempt
		c.Access = policy.Access{Asked: asked, Granted: granted}
		root, err := guestfs.NewRoot(c)
		if err != nil {
			t.Fatal(err)
		}
		m := root.Mount(guestfs.Run{Context: t.Context(), Alive: func() {}, OpenFiles: 3, Observe: func(a guestfs.Attempt) { tried = append(tried, a) }})
		_, errno := m.OpenFile(name, 0, 0)
		clean := path.Clean("/" + name)
		both := matched(granted[0].Pattern, clean) && matched(asked[0], clean)
		// Commands are looked up without a grant, for the module's own need none.
		ran := strings.HasPrefix(landed, "/command/") && errno == 0
		if (landed != "" && !strings.HasPrefix(landed, "/command/") || ran) && !both {
			t.Errorf("%q and %q let %q lead to %q", grant, request, name, landed)
		}
		if strings.HasPrefix(landed, "/command/") && both && !strings.HasSuffix(name, "/") && len(name) <= policy.MaxPath && !ran {
			t.Errorf("%q and %q keep %q from running: %v", grant, request, name, errno)
		}
		if len(tried) > 1 || len(tried) == 1 && tried[0].Refused && both && len(clean) <= policy.MaxPath {
			t.Errorf("%q is reported as %+v", name, tried)
		}
	})
}

// matched tells whether a pattern without classes and alternatives matches a clean
// path.
func matched(pattern, name string) bool {
	var b strings.Builder
	for _, segment := range strings.Split(pattern, "/")[1:] {
		if segment == "**" {
			b.WriteString("(/[^/]+)*")
			continue
		}
		segment = strings.ReplaceAll(regexp.QuoteMeta(segment), `\*`, `[^/]*`)
		b.WriteString("/" + strings.ReplaceAll(segment, `\?`, `[^/]`))
	}
	return regexp.MustCompile("^(?s:" + b.String() + ")$").MatchString(name)
}

// FuzzRoute opens paths with every grant, and wants each to lead where its clean
// form says, or nowhere.
func FuzzRoute(f *testing.F) {
	w := newWorld(f)
	_, rows := w.narrow()
	for _, row := range rows {
		f.Add(row.path)
		f.Add(strings.ReplaceAll(row.path, "logs", "a"))
	}
	for _, lure := range w.lures() {
		for _, name := range disguises(strings.ReplaceAll(lure, "logs", "b.log")) {
			f.Add(name)
		}
	}
	landed := ""
	c := landings(&landed)
	c.Access = both(capabilities...)
	root, err := guestfs.NewRoot(c)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if strings.HasPrefix(path.Clean("/"+name), "/dev/") {
			return // which would connect
		}
		landed = ""
		m := root.Mount(guestfs.Run{Context: t.Context(), Alive: func() {}, OpenFiles: 3})
		f, errno := m.OpenFile(name, 0, 0)
		if landed == "" {
			if errno == 0 && f == nil {
				t.Errorf("%q: neither a file nor an error", name)
			}
			return
		}
		clean := path.Clean("/" + name)
		if path.Clean(landed) != clean || len(name) > guestfs.MaxPath {
			t.Errorf("%q leads to %q", name, landed)
		}
		if !slices.Contains([]string{"files", "state", "command"}, capability(clean)) {
			t.Errorf("%q leads to %q", name, landed)
		}
	})
}

// FuzzArguments writes to a command in pieces, and wants its arguments to be the
// lines of what was written, or nothing to be run beyond the limit.
func FuzzArguments(f *testing.F) {
	for _, text := range []string{"", "\n", "a", "a\n", "a\nb", "a\nb\n", "\n\n", "a\n\nb", "\r\n", "a\x00b\n", "\xff\n", strings.Repeat("x", guestfs.MaxArguments), strings.Repeat("x\n", guestfs.MaxArguments)} {
		f.Add(text, uint16(3))
		f.Add(text, uint16(9999))
	}
	var got [][]string
	root, err := guestfs.NewRoot(guestfs.Config{Commands: func(string) (guestfs.Command, bool) {
		return func(_ context.Context, args []string) []byte {
			got = append(got, args)
			return []byte("answer")
		}, true
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, piece uint16) {
		got = nil
		m := root.Mount(guestfs.Run{Context: t.Context(), Alive: func() {}, OpenFiles: 1})
		call, errno := m.OpenFile("command/mine", experimental.O_RDWR, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
		var taken []byte
		for part := range slices.Chunk([]byte(text), int(piece)+1) {
			n, errno := call.Write(part)
			if taken = append(taken, part[:n]...); errno != 0 && len(taken)+len(part) <= guestfs.MaxArguments {
				t.Errorf("%d bytes after %d: %v", len(part), len(taken), errno)
			}
		}
		if answer := content(call); answer != "answer" || len(got) != 1 {
			t.Errorf("answered %q, ran %d times", answer, len(got))
		}
		if _, errno := call.Write([]byte("x")); errno == 0 {
			t.Error("arguments can be written after the answer was read")
		}
		if want := lines(taken); !slices.Equal(got[0], want) || len(taken) > guestfs.MaxArguments {
			t.Errorf("%.80q became %.80q", taken, got[0])
		}
	})
}

// lines are the lines of a text, the last of which may lack its end.
func lines(text []byte) (list []string) {
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		list, text = append(list, string(line)), rest
	}
	return list
}
