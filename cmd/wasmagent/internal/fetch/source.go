package fetch

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"oras.land/oras-go/v2/registry"

	"github.com/wasmagent/wasmagent/zipmod"
)

// A Source is where a module is fetched from. The zero Source is nowhere.
type Source struct {
	file  string             // of the file system, absolute
	url   *url.URL           // http or https
	ref   registry.Reference // of a registry
	plain bool               // the registry is spoken to without TLS
}

// The schemes of a registry. Without TLS there is no saying who answers, so it
// is spoken to like that only where it says so, or on this machine.
const (
	schemeOCI   = "oci"
	schemePlain = "oci+http"
)

// Parse reads where a module is: the name of a file NAME.zip, which is resolved
// against dir; a URL, whose path ends in NAME.zip; or oci://REGISTRY/NAME:TAG or
// oci://REGISTRY/NAME@DIGEST, where oci+http:// is a registry without TLS.
func Parse(text, dir string) (Source, error) {
	s, err := parse(text, dir)
	if err == nil {
		err = s.checkModule()
	}
	if err != nil {
		return Source{}, fmt.Errorf("%.200q: %w", text, err)
	}
	return s, nil
}

func parse(text, dir string) (Source, error) {
	scheme, rest, remote := strings.Cut(text, "://")
	switch {
	case text == "":
		return Source{}, errors.New("names no module; want a file, a URL or oci://REGISTRY/NAME:TAG")
	case !remote && filepath.IsAbs(text):
		return Source{file: filepath.Clean(text)}, nil
	case !remote:
		return Source{file: filepath.Join(dir, text)}, nil
	}
	switch scheme {
	case "http", "https":
		return parseURL(text)
	case schemeOCI, schemePlain:
		return parseReference(scheme, rest)
	}
	return Source{}, errors.New("want a file, an https:// or http:// URL, or oci://REGISTRY/NAME:TAG")
}

func parseURL(text string) (Source, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return Source{}, errors.New("is no URL; percent-encode what is special in it")
	case u.Host == "":
		return Source{}, errors.New("names no host")
	case u.User != nil:
		return Source{}, errors.New("has credentials in it, which config.toml would keep for all to read; fetch the file in another way and install that, or use a registry")
	case u.Fragment != "":
		return Source{}, errors.New("has a fragment; take away what begins with #")
	}
	canonical, err := url.Parse(u.String()) // so that every spelling is one Source
	return Source{url: canonical}, err
}

func parseReference(scheme, text string) (Source, error) {
	ref, err := registry.ParseReference(text)
	switch {
	case err != nil:
		return Source{}, fmt.Errorf("want %s://REGISTRY/NAME:TAG or %[1]s://REGISTRY/NAME@sha256:DIGEST, NAME in lower case: %w", scheme, err)
	case ref.Reference == "":
		return Source{}, errors.New("names no tag; add one, such as :1.0")
	}
	return Source{ref: ref, plain: scheme == schemePlain || isLoopback(ref.Registry)}, nil
}

// isLoopback tells whether a registry's name is one of this machine.
func isLoopback(host string) bool {
	u := url.URL{Host: host}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && addr.IsLoopback()
}

// checkModule wants the name of a module.
func (s Source) checkModule() error {
	if base := s.base(); s.ref.Repository == "" && !strings.EqualFold(path.Ext(base), ".zip") {
		return errors.New("does not end in NAME.zip, and the name of the file is that of the module")
	}
	return zipmod.CheckName(s.Module())
}

// base is the last element of the source's name.
func (s Source) base() string {
	switch {
	case s.ref.Repository != "":
		return path.Base(s.ref.Repository)
	case s.url != nil:
		return path.Base(s.url.Path)
	}
	return filepath.Base(s.file)
}

// Module is the name of the module: that of the file without ".zip", or the last
// element of the name in the registry.
func (s Source) Module() string {
	base := s.base()
	if s.ref.Repository != "" {
		return base
	}
	return base[:max(0, len(base)-len(".zip"))]
}

// IsZero tells whether it is nowhere.
func (s Source) IsZero() bool { return s == Source{} }

// Fixed tells whether the source names a digest, so that what is there is always
// the same.
func (s Source) Fixed() bool { return strings.Contains(s.ref.Reference, ":") }

// String is the source as Parse reads it.
func (s Source) String() string {
	switch {
	case s.ref.Repository == "" && s.url != nil:
		return s.url.String()
	case s.ref.Repository == "":
		return s.file
	case s.plain && !isLoopback(s.ref.Registry):
		return schemePlain + "://" + s.ref.String()
	}
	return schemeOCI + "://" + s.ref.String()
}
