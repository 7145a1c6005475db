package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/wasmagent/wasmagent/trust"
)

// The media types of a module in a registry.
const (
	ArtifactType  = "application/vnd.wasmagent.module.v1"
	TypeZip       = ArtifactType + "+zip"
	TypeSignature = ArtifactType + "+minisign"
)

// maxManifest is the largest manifest in bytes.
const maxManifest = 256 << 10

// pull gets a module from a registry.
func (c Client) pull(ctx context.Context, s Source) (Parcel, error) {
	web := c.http(!s.plain)
	defer web.CloseIdleConnections()
	repo, err := c.repository(s, web)
	if err != nil {
		return Parcel{}, err
	}
	p, err := c.pullLayers(ctx, repo, s.ref.Reference)
	return p, explained(s, err)
}

func (c Client) pullLayers(ctx context.Context, repo *remote.Repository, reference string) (Parcel, error) {
	m, err := manifest(ctx, repo, reference)
	if err != nil {
		return Parcel{}, err
	}
	var p Parcel
	if p.Archive, err = c.archive(ctx, repo, m); err != nil {
		return Parcel{}, err
	}
	p.signed(signature(ctx, repo, m))
	return p, ctx.Err()
}

// repository is the part of a registry in which one name is.
func (c Client) repository(s Source, web *http.Client) (*remote.Repository, error) {
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, fmt.Errorf("docker's config.json, which may have credentials for it: %w", err)
	}
	client := &auth.Client{Client: web, Cache: auth.NewCache(), Credential: credentials.Credential(store), ClientID: "wasmagent"}
	client.SetUserAgent(c.Name)
	return &remote.Repository{
		Client:             client,
		Reference:          s.ref,
		PlainHTTP:          s.plain,
		ManifestMediaTypes: []string{ocispec.MediaTypeImageManifest},
		MaxMetadataBytes:   maxManifest,
	}, nil
}

// manifest gets what says which layers a module has.
func manifest(ctx context.Context, repo *remote.Repository, reference string) (ocispec.Manifest, error) {
	desc, body, err := repo.Manifests().FetchReference(ctx, reference)
	if err != nil {
		return ocispec.Manifest{}, err
	}
	defer body.Close()
	if desc.Size > maxManifest {
		return ocispec.Manifest{}, fmt.Errorf("its manifest is larger than %d bytes, as that of no module is", maxManifest)
	}
	text, err := content.ReadAll(body, desc)
	if err != nil {
		return ocispec.Manifest{}, fmt.Errorf("its manifest: %w", err)
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return ocispec.Manifest{}, fmt.Errorf("its manifest: %w", err)
	}
	if desc.MediaType != ocispec.MediaTypeImageManifest || m.ArtifactType != ArtifactType {
		return ocispec.Manifest{}, fmt.Errorf("is no module of wasmagent but %.100q; publish one with: wasmagent push", strings.TrimSpace(desc.MediaType+" "+m.ArtifactType))
	}
	return m, nil
}

// archive gets the zip, unless it is one that the client has.
func (c Client) archive(ctx context.Context, repo *remote.Repository, m ocispec.Manifest) ([]byte, error) {
	layer, err := layer(m, TypeZip)
	switch {
	case err != nil:
		return nil, err
	case layer.Size > int64(c.Limit):
		return nil, c.tooLarge()
	case c.Have != nil && layer.Digest == digest.FromBytes(c.Have):
		return c.Have, nil
	}
	return blob(ctx, repo, layer, c.Arrived)
}

// signature gets the signature.
func signature(ctx context.Context, repo *remote.Repository, m ocispec.Manifest) ([]byte, error) {
	layer, err := layer(m, TypeSignature)
	switch {
	case err != nil:
		return nil, err
	case layer.Size > trust.MaxSignature:
		return make([]byte, trust.MaxSignature+1), nil
	}
	return blob(ctx, repo, layer, nil)
}

// layer finds the one layer of a media type.
func layer(m ocispec.Manifest, mediaType string) (ocispec.Descriptor, error) {
	var found []ocispec.Descriptor
	for _, l := range m.Layers {
		if l.MediaType == mediaType {
			found = append(found, l)
		}
	}
	switch len(found) {
	case 0:
		return ocispec.Descriptor{}, absence("its manifest has no layer of the type " + mediaType)
	case 1:
		return found[0], nil
	}
	return ocispec.Descriptor{}, fmt.Errorf("its manifest has %d layers of the type %s; want one", len(found), mediaType)
}

// blob gets a layer, whose size the caller has bounded.
func blob(ctx context.Context, repo *remote.Repository, layer ocispec.Descriptor, arrived func(done, size int64)) ([]byte, error) {
	if err := layer.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("the digest of a layer: %w", err)
	}
	body, err := repo.Blobs().Fetch(ctx, layer)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return content.ReadAll(&arrival{io.Reader(body), arrived, 0, layer.Size}, layer)
}

// explained adds what to do to an error of a registry.
func explained(s Source, err error) error {
	var answer *errcode.ErrorResponse
	switch {
	case errors.Is(err, errdef.ErrNotFound):
		return fmt.Errorf("there is nothing of this name and tag: %w", err)
	case errors.As(err, &answer) && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden),
		errors.Is(err, auth.ErrBasicCredentialNotFound):
		return fmt.Errorf("%w; if you have credentials, run: docker login %s", err, s.ref.Registry)
	case err != nil && strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fmt.Errorf("%w; a registry without TLS is named %s://%s", err, schemePlain, s.ref)
	}
	return err
}
