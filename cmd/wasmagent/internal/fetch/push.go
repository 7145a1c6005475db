package fetch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/wasmagent/wasmagent/trust"
)

// An About says what a module is, for people who look at a registry.
type About struct{ Title, Version, Description string }

// Push publishes a module at a source that is a tag of a registry, and returns
// the source by which these very bytes are found.
func (c Client) Push(ctx context.Context, s Source, p Parcel, about About) (Source, error) {
	fixed, err := c.push(ctx, s, p, about)
	if err != nil {
		return Source{}, fmt.Errorf("%s: %w", s, told(err))
	}
	return fixed, nil
}

func (c Client) push(ctx context.Context, s Source, p Parcel, about About) (Source, error) {
	if s.ref.Repository == "" || s.Fixed() {
		return Source{}, errors.New("a module is published at a tag of a registry; want oci://REGISTRY/NAME:TAG")
	}
	a, err := pack(s.Module()+".zip", p, about)
	if err != nil {
		return Source{}, err
	}
	web := c.http(!s.plain)
	defer web.CloseIdleConnections()
	repo, err := c.repository(s, web)
	if err != nil {
		return Source{}, err
	}
	if err := a.publish(ctx, repo); err != nil {
		return Source{}, explained(s, err)
	}
	s.ref.Reference = a.manifest.Digest.String()
	return s, nil
}

// An artifact is a module as a registry keeps it.
type artifact struct {
	blobs    []blobOf
	manifest ocispec.Descriptor
	text     []byte // of the manifest
}

// A blobOf is some bytes with their descriptor.
type blobOf struct {
	ocispec.Descriptor
	data []byte
}

// pack makes an artifact of a module that is called file.
func pack(file string, p Parcel, about About) (artifact, error) {
	a := artifact{blobs: []blobOf{{ocispec.DescriptorEmptyJSON, ocispec.DescriptorEmptyJSON.Data}, named(TypeZip, file, p.Archive)}}
	if p.Signature != nil {
		a.blobs = append(a.blobs, named(TypeSignature, file+trust.Extension, p.Signature))
	}
	m := ocispec.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    ocispec.MediaTypeImageManifest,
		ArtifactType: ArtifactType,
		Config:       ocispec.DescriptorEmptyJSON,
		Annotations:  annotations(about),
	}
	for _, b := range a.blobs[1:] {
		m.Layers = append(m.Layers, b.Descriptor)
	}
	var err error
	if a.text, err = json.Marshal(m); err != nil {
		return artifact{}, err
	}
	if len(a.text) > maxManifest {
		return artifact{}, fmt.Errorf("its manifest would be larger than %d bytes; shorten the description in module.json", maxManifest)
	}
	a.manifest = content.NewDescriptorFromBytes(m.MediaType, a.text)
	return a, nil
}

// named is a layer that other tools write to a file of this name.
func named(mediaType, file string, data []byte) blobOf {
	d := content.NewDescriptorFromBytes(mediaType, data)
	d.Annotations = map[string]string{ocispec.AnnotationTitle: file}
	return blobOf{d, data}
}

// annotations leave out what is not said. There is no time among them, so that
// the same bytes are the same artifact.
func annotations(about About) map[string]string {
	all := map[string]string{}
	for key, value := range map[string]string{
		ocispec.AnnotationTitle:       about.Title,
		ocispec.AnnotationVersion:     about.Version,
		ocispec.AnnotationDescription: about.Description,
	} {
		if value != "" {
			all[key] = value
		}
	}
	return all
}

// publish uploads what a repository does not have yet, and then the manifest,
// so that a tag is never of something that is not whole.
func (a artifact) publish(ctx context.Context, repo *remote.Repository) error {
	for _, b := range a.blobs {
		there, err := repo.Exists(ctx, b.Descriptor)
		if err == nil && !there {
			err = repo.Push(ctx, b.Descriptor, bytes.NewReader(b.data))
		}
		if err != nil {
			return err
		}
	}
	return repo.PushReference(ctx, a.manifest, bytes.NewReader(a.text), repo.Reference.Reference)
}
