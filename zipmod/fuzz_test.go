package zipmod_test

import (
	"testing"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/zipmod"
)

// small are limits under which a fuzzer cannot fill the memory.
var small = zipmod.Options{Limits: policy.Limits{Archive: 1 << 20, Unpacked: 4 << 20, Entries: 64}}

// FuzzRead reads any bytes as a zip. What is accepted is a whole module, and
// archive/zip finds the same files in it.
func FuzzRead(f *testing.F) {
	for _, row := range hostileArchives(f) {
		if len(row.data) < 64<<10 {
			f.Add(row.data)
		}
	}
	f.Add(nsclient(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := zipmod.Read("fuzz.zip", data, small); err == nil {
			checkModule(t, m, data, small)
		}
	})
}

// FuzzManifest reads any bytes as the module.json of a zip. What is accepted is
// a whole module, and valid by the published schema.
func FuzzManifest(f *testing.F) {
	for _, row := range manifests() {
		f.Add(row.text)
	}
	published := resolved(f)
	f.Fuzz(func(t *testing.T, text string) {
		data := withFiles(t, text)
		m, err := zipmod.Read("fuzz", data, small)
		if err != nil {
			return
		}
		checkModule(t, m, data, small)
		if err := validate(published, text); err != nil {
			t.Errorf("accepted %q, but by the schema: %v", text, err)
		}
	})
}
