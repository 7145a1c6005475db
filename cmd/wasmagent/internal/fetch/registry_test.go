package fetch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"reflect"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/memory"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch/registrytest"
	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/trust"
)

// realRegistry starts a registry that ends with the test.
func realRegistry(t *testing.T) string {
	t.Helper()
	needs.Program(t, registrytest.Program)
	address, stop, err := registrytest.Start(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return address
}

func push(t *testing.T, at string, p fetch.Parcel) fetch.Source {
	t.Helper()
	fixed, err := limited.Push(t.Context(), source(t, at), p, fetch.About{Title: "Web checks", Version: "1.0", Description: "of servers"})
	if err != nil {
		t.Fatal(err)
	}
	return fixed
}

func TestRealRegistry(t *testing.T) {
	t.Parallel()
	at := "oci://" + realRegistry(t) + "/checks/web:"
	first := push(t, at+"1", fetch.Parcel{Archive: []byte("one"), Signature: []byte("signature")})
	if !first.Fixed() || !strings.HasPrefix(first.String(), strings.TrimSuffix(at, ":")+"@sha256:") {
		t.Errorf("pushed to %s", first)
	}
	if again := push(t, at+"2", fetch.Parcel{Archive: []byte("one"), Signature: []byte("signature")}); again != first {
		t.Errorf("the same bytes are %s and %s", first, again)
	}
	push(t, at+"2", fetch.Parcel{Archive: []byte("two")})
	wantParcel(t, limited, at+"1", "one", "signature")
	wantParcel(t, limited, at+"2", "two", "")
	wantParcel(t, limited, first.String(), "one", "signature")

	wantError(t, limited, at+"3", "there is nothing of this name and tag")
	wantError(t, limited, strings.TrimSuffix(at, ":")+"@"+digest.FromString("none").String(), "there is nothing of this name and tag")
	small := limited
	small.Limit = 2
	wantError(t, small, at+"1", "is larger than the limit of 2 B")
}

// TestHave wants that bytes which are there are not fetched again.
func TestHave(t *testing.T) {
	t.Parallel()
	at := "oci://" + realRegistry(t) + "/web:1"
	push(t, at, fetch.Parcel{Archive: []byte("one"), Signature: []byte("signature")})
	for have, want := range map[string]bool{"one": false, "other": true} {
		c, arrived := limited, false
		c.Have, c.Arrived = []byte(have), func(int64, int64) { arrived = true }
		wantParcel(t, c, at, "one", "signature")
		if arrived != want {
			t.Errorf("with %q it is fetched: %v", have, arrived)
		}
	}
}

// TestOrasPulls wants that another client finds what Push has published.
func TestOrasPulls(t *testing.T) {
	t.Parallel()
	address := realRegistry(t)
	fixed := push(t, "oci://"+address+"/checks/web:1", fetch.Parcel{Archive: []byte("one"), Signature: []byte("signature")})
	repo, err := remote.NewRepository(address + "/checks/web")
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	store := memory.New()
	desc, err := oras.Copy(t.Context(), repo, "1", store, "", oras.DefaultCopyOptions)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(fixed.String(), "@"+desc.Digest.String()) {
		t.Errorf("%s has the digest %s", fixed, desc.Digest)
	}
	text, err := content.FetchAll(t.Context(), store, desc)
	if err != nil {
		t.Fatal(err)
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if m.SchemaVersion != 2 || m.MediaType != ocispec.MediaTypeImageManifest || m.ArtifactType != "application/vnd.wasmagent.module.v1" || m.Config.MediaType != ocispec.MediaTypeEmptyJSON {
		t.Errorf("the manifest is %s", text)
	}
	if want := map[string]string{"org.opencontainers.image.title": "Web checks", "org.opencontainers.image.version": "1.0", "org.opencontainers.image.description": "of servers"}; !reflect.DeepEqual(m.Annotations, want) {
		t.Errorf("it says %v", m.Annotations)
	}
	var got []string
	for _, layer := range m.Layers {
		data, err := content.FetchAll(t.Context(), store, layer)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, layer.MediaType, layer.Annotations["org.opencontainers.image.title"], string(data))
	}
	want := []string{"application/vnd.wasmagent.module.v1+zip", "web.zip", "one", "application/vnd.wasmagent.module.v1+minisign", "web.zip.minisig", "signature"}
	if !slices.Equal(got, want) {
		t.Errorf("the layers are %q", got)
	}
}

// TestOrasPushes wants that what another client has published is found, if it is
// a module.
func TestOrasPushes(t *testing.T) {
	t.Parallel()
	address := realRegistry(t)
	repo, err := remote.NewRepository(address + "/web")
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	pack := func(tag, artifactType string, layers ...string) {
		t.Helper()
		var descs []ocispec.Descriptor
		for i := 0; i < len(layers); i += 2 {
			desc, err := oras.PushBytes(t.Context(), repo, layers[i], []byte(layers[i+1]))
			if err != nil {
				t.Fatal(err)
			}
			descs = append(descs, desc)
		}
		desc, err := oras.PackManifest(t.Context(), repo, oras.PackManifestVersion1_1, artifactType, oras.PackManifestOptions{Layers: descs})
		if err == nil {
			err = repo.Tag(t.Context(), desc, tag)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	at := "oci://" + address + "/web:"
	pack("plain", fetch.ArtifactType, fetch.TypeZip, "bytes")
	wantParcel(t, limited, at+"plain", "bytes", "")
	pack("more", fetch.ArtifactType, "text/plain", "readme", fetch.TypeSignature, "signature", fetch.TypeZip, "bytes")
	wantParcel(t, limited, at+"more", "bytes", "signature")
	pack("other", "application/vnd.example", fetch.TypeZip, "bytes")
	wantError(t, limited, at+"other", `is no module of wasmagent but "application/vnd.oci.image.manifest.v1+json application/vnd.example"`)
	pack("none", fetch.ArtifactType, fetch.TypeSignature, "signature")
	wantError(t, limited, at+"none", "its manifest has no layer of the type application/vnd.wasmagent.module.v1+zip")
	pack("two", fetch.ArtifactType, fetch.TypeZip, "bytes", fetch.TypeZip, "others")
	wantError(t, limited, at+"two", "its manifest has 2 layers of the type")
	pack("large-signature", fetch.ArtifactType, fetch.TypeZip, "bytes", fetch.TypeSignature, strings.Repeat("x", trust.MaxSignature+1))
	if p, err := limited.Fetch(t.Context(), source(t, at+"large-signature")); err != nil || p.Signature != nil || p.Unsigned == nil || errors.Is(p.Unsigned, fs.ErrNotExist) {
		t.Errorf("a large signature: %v, %v", p.Unsigned, err)
	}
}

func TestPushRefuses(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"https://example.com/web.zip", "web.zip", "oci://127.0.0.1:1/web@" + digest.FromString("x").String()} {
		if _, err := limited.Push(t.Context(), source(t, at), fetch.Parcel{}, fetch.About{}); err == nil || !strings.Contains(err.Error(), "a module is published at a tag of a registry") {
			t.Errorf("%s: %v", at, err)
		}
	}
	about := fetch.About{Description: strings.Repeat("x", 1<<20)}
	if _, err := limited.Push(t.Context(), source(t, "oci://127.0.0.1:1/web:1"), fetch.Parcel{}, about); err == nil || !strings.Contains(err.Error(), "shorten the description") {
		t.Errorf("a large manifest: %v", err)
	}
}

// A lie is what a hostile registry answers.
type lie struct {
	manifest, digest, mediaType string // what it says of the manifest; empty is what is so
	blob                        http.HandlerFunc
}

// honest is the manifest of a module with the zip "bytes".
func honest(size int64) string {
	text, _ := json.Marshal(ocispec.Manifest{
		MediaType: ocispec.MediaTypeImageManifest, ArtifactType: fetch.ArtifactType, Config: ocispec.DescriptorEmptyJSON,
		Layers: []ocispec.Descriptor{{MediaType: fetch.TypeZip, Digest: digest.FromString("bytes"), Size: size}},
	})
	return string(text)
}

func (l lie) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if strings.Contains(req.URL.Path, "/blobs/") {
		l.blob(w, req)
		return
	}
	if l.manifest == "" {
		l.manifest = honest(5)
	}
	if l.digest == "" {
		l.digest = digest.FromString(l.manifest).String()
	}
	if l.mediaType == "" {
		l.mediaType = ocispec.MediaTypeImageManifest
	}
	w.Header().Set("Content-Type", l.mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(l.manifest)))
	w.Header().Set("Docker-Content-Digest", l.digest)
	fmt.Fprint(w, l.manifest)
}

func TestHostileRegistry(t *testing.T) {
	t.Parallel()
	bytes := text("bytes")
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, to, http.StatusFound) }
	}
	for name, tt := range map[string]struct {
		lie
		reason string
	}{
		"no digest":        {lie{digest: "x", blob: bytes}, "Docker-Content-Digest"},
		"other manifest":   {lie{digest: digest.FromString("x").String(), blob: bytes}, "its manifest: mismatched digest"},
		"large manifest":   {lie{manifest: strings.Repeat(" ", 1<<20), blob: bytes}, "its manifest is larger than 262144 bytes"},
		"no JSON":          {lie{manifest: "{", blob: bytes}, "its manifest: unexpected end of JSON"},
		"deep JSON":        {lie{manifest: strings.Repeat("[", 200_000), blob: bytes}, "its manifest: "},
		"index":            {lie{manifest: "{}", mediaType: ocispec.MediaTypeImageIndex, blob: bytes}, `is no module of wasmagent but "application/vnd.oci.image.index.v1+json"`},
		"negative size":    {lie{manifest: honest(-1), blob: bytes}, ""},
		"huge size":        {lie{manifest: honest(1 << 62), blob: bytes}, "is larger than the limit of 1000 B"},
		"bad layer digest": {lie{manifest: strings.Replace(honest(5), digest.FromString("bytes").String(), "../../../x", 1), blob: bytes}, "the digest of a layer"},
		"other bytes":      {lie{blob: text("bytez")}, "mismatched digest"},
		"fewer bytes":      {lie{blob: text("byte")}, "mismatch Content-Length"},
		"truncated":        {lie{manifest: honest(100), blob: truncated}, "unexpected EOF"},
		"more bytes": {lie{blob: func(w http.ResponseWriter, req *http.Request) {
			w.(http.Flusher).Flush()
			text("bytes and more")(w, req)
		}}, "trailing data"},
		"endless":   {lie{blob: endless}, "trailing data"},
		"gone":      {lie{blob: http.NotFound}, "there is nothing of this name and tag"},
		"error":     {lie{blob: status(http.StatusInternalServerError)}, "500"},
		"redirects": {lie{blob: redirect("/v2/web/blobs/x")}, "the server redirects more than 5 times"},
		"credentials wanted": {lie{blob: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
		}}, "if you have credentials, run: docker login 127.0.0.1:"},
		"internal realm": {lie{blob: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://169.254.169.254/token"`)
			w.WriteHeader(http.StatusUnauthorized)
		}}, "link-local"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain, _, _ := site{}.start(t)
			plain.Config.Handler = tt.lie
			wantError(t, limited, "oci://"+plain.Listener.Addr().String()+"/web:1", tt.reason)
		})
	}
}

// TestHonestRegistry wants that what the lies are made of is no lie.
func TestHonestRegistry(t *testing.T) {
	t.Parallel()
	plain, _, _ := site{}.start(t)
	plain.Config.Handler = lie{blob: text("bytes")}
	wantParcel(t, limited, "oci://"+plain.Listener.Addr().String()+"/web:1", "bytes", "")
}

// TestWithoutTLS wants that a registry is spoken to without TLS only where that is
// said. 0.0.0.0 is this machine by a name that does not tell it.
func TestWithoutTLS(t *testing.T) {
	t.Parallel()
	if goruntime.GOOS == "windows" {
		return // which does not connect to 0.0.0.0
	}
	plain, _, _ := site{}.start(t)
	plain.Config.Handler = lie{blob: text("bytes")}
	_, port, _ := net.SplitHostPort(plain.Listener.Addr().String())
	wantError(t, limited, "oci://0.0.0.0:"+port+"/web:1", "a registry without TLS is named oci+http://0.0.0.0:"+port+"/web:1")
	wantParcel(t, limited, "oci+http://0.0.0.0:"+port+"/web:1", "bytes", "")
}

// TestRegistryText wants that what a registry says does not control a terminal.
func TestRegistryText(t *testing.T) {
	t.Parallel()
	plain, _, _ := site{}.start(t)
	plain.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, `{"errors": [{"code": "DENIED", "message": "\u001b[2J\nhello\u202e%s"}]}`, strings.Repeat("x", 5000))
	})
	_, err := limited.Fetch(t.Context(), source(t, "oci://"+plain.Listener.Addr().String()+"/web:1"))
	if err == nil || !strings.Contains(err.Error(), "hello") || strings.ContainsAny(err.Error(), "\x1b\n\u202e") || len(err.Error()) > 1200 {
		t.Errorf("it says %q", err)
	}
}

func TestRegistryCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	plain, _, _ := site{}.start(t)
	plain.Config.Handler = lie{blob: func(_ http.ResponseWriter, req *http.Request) {
		cancel()
		<-req.Context().Done()
	}}
	if _, err := limited.Fetch(ctx, source(t, "oci://"+plain.Listener.Addr().String()+"/web:1")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
