package fetch_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
)

var pinned = "sha256:" + strings.Repeat("0a", 32)

// sources are texts of sources with their module, and their canonical form.
var sources = []struct{ text, module, canonical string }{
	{"https://example.com/a/web.zip", "web", ""},
	{"http://example.com:8080/WEB.ZIP?token=1", "WEB", ""},
	{"https://example.com/a%2Cb/two%2Bwords.zip", "two+words", ""},
	{"https://example.com/a%2Fb.zip", "b", ""},
	{"https://example.com/ä/web.zip", "web", "https://example.com/%C3%A4/web.zip"},
	{"oci://registry.example.com/checks/web:1.0", "web", ""},
	{"oci://registry.example.com/web@" + pinned, "web", ""},
	{"oci://registry.example.com/web:1.0@" + pinned, "web", "oci://registry.example.com/web@" + pinned},
	{"oci+http://registry.example.com:5000/web:1", "web", ""},
	{"oci+http://localhost:5000/web:1", "web", "oci://localhost:5000/web:1"},
	{"oci://127.0.0.1:5000/web:1", "web", ""},
	{"oci://[::1]:5000/web:1", "web", ""},
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range sources {
		s, err := fetch.Parse(tt.text, t.TempDir())
		want := tt.canonical
		if want == "" {
			want = tt.text
		}
		if err != nil || s.Module() != tt.module || s.String() != want || s.IsZero() {
			t.Errorf("%s: %s of module %q, %v", tt.text, s, s.Module(), err)
		}
		if s.Fixed() != strings.Contains(tt.text, "@sha256:") {
			t.Errorf("%s: fixed is %v", tt.text, s.Fixed())
		}
	}
}

func TestParseFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, text := range []string{filepath.Join("a", "Web.zip"), filepath.Join(dir, "a", "Web.zip")} {
		s, err := fetch.Parse(text, dir)
		if err != nil || s.String() != filepath.Join(dir, "a", "Web.zip") || s.Module() != "Web" || s.Fixed() {
			t.Errorf("%s: %s of module %q, %v", text, s, s.Module(), err)
		}
	}
}

// refused are texts of no source, each with a part of the reason.
var refused = []struct{ text, reason string }{
	{"", "names no module"},
	{"web", "does not end in NAME.zip"},
	{".zip", "module name"},
	{"a b.zip", "module name"},
	{"ftp://example.com/web.zip", "want a file"},
	{"file:///tmp/web.zip", "want a file"},
	{"https:///web.zip", "names no host"},
	{"https://user:secret@example.com/web.zip", "has credentials in it"},
	{"https://example.com/web.zip#x", "has a fragment"},
	{"https://example.com/", "does not end in NAME.zip"},
	{"https://example.com", "does not end in NAME.zip"},
	{"https://example.com/download?file=web.zip", "does not end in NAME.zip"},
	{"https://example.com/%zz.zip", "is no URL"},
	{"https://example.com/..%5Cb.zip", "module name"},
	{"https://example.com/%00.zip", "module name"},
	{"oci://example.com/web", "names no tag"},
	{"oci://example.com/web:", "names no tag"},
	{"oci://example.com/Web:1", "NAME in lower case"},
	{"oci://example.com/web@sha256:12", "want oci://REGISTRY/NAME:TAG"},
	{"oci://example.com:1", "want oci://REGISTRY/NAME:TAG"},
	{"oci://user@example.com/web:1", "want oci://REGISTRY/NAME:TAG"},
	{"oci+http://example.com/web", "names no tag"},
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range refused {
		if s, err := fetch.Parse(tt.text, t.TempDir()); err == nil || !strings.Contains(err.Error(), tt.reason) || !s.IsZero() {
			t.Errorf("%q: %v, want an error with %q", tt.text, err, tt.reason)
		}
	}
}

// FuzzParse wants that what is read is written so that it reads the same, and
// that no name leads out of a directory.
func FuzzParse(f *testing.F) {
	for _, tt := range sources {
		f.Add(tt.text)
	}
	for _, tt := range refused {
		f.Add(tt.text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		s, err := fetch.Parse(text, dir)
		if err != nil {
			return
		}
		if name := s.Module(); !filepath.IsLocal(name) || filepath.Base(name) != name {
			t.Errorf("%q: is module %q", text, name)
		}
		again, err := fetch.Parse(s.String(), dir)
		if err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("%q: reads as %q, and that as %q, %v", text, s, again, err)
		}
	})
}
