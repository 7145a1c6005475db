package hostkey_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/access/hostkey"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// certificate is the first one in a file.
func certificate(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(read(t, name))
	if block == nil {
		t.Fatalf("%s: no PEM", name)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v, want one with %q", err, want)
	}
}

func TestMakeTwiceAtOneTime(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "tls")
	var keys [8][]byte
	var done sync.WaitGroup
	for i := range keys {
		done.Go(func() {
			f, err := hostkey.Make(dir)
			if err != nil {
				t.Error(err)
				return
			}
			keys[i], _ = os.ReadFile(f.Key)
		})
	}
	done.Wait()
	for _, key := range keys {
		if len(key) == 0 || !bytes.Equal(key, keys[0]) {
			t.Fatalf("the keys differ:\n%s\n%s", key, keys[0])
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("the directory holds %v, %v; want the key, the certificate and the lock", entries, err)
	}
}

func TestMadeCertificate(t *testing.T) {
	t.Parallel()
	f, err := hostkey.Make(t.TempDir() + "/tls")
	if err != nil {
		t.Fatal(err)
	}
	c := certificate(t, f.Certificate)
	roots := x509.NewCertPool()
	roots.AddCert(c)
	for _, name := range []string{"localhost", "127.0.0.1", "::1", c.Subject.CommonName} {
		if _, err := c.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c.IsCA || time.Until(c.NotAfter) < 9*365*24*time.Hour {
		t.Errorf("an authority: %v; good until %v", c.IsCA, c.NotAfter)
	}
	for name, mode := range map[string]os.FileMode{f.Key: 0o600, f.Certificate: 0o644} {
		if info, err := os.Stat(name); err != nil || onUnix && info.Mode() != mode {
			t.Errorf("%s: %v, %v; want mode %v", name, info.Mode(), err, mode)
		}
	}
}

func TestMakeLeavesWhatIsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/tls"
	f, err := hostkey.Make(dir)
	if err != nil {
		t.Fatal(err)
	}
	key, first := read(t, f.Key), read(t, f.Certificate)
	again := func(what string) []byte {
		t.Helper()
		if _, err := hostkey.Make(dir); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if !bytes.Equal(read(t, f.Key), key) {
			t.Errorf("%s: the key is another", what)
		}
		return read(t, f.Certificate)
	}
	if !bytes.Equal(again("nothing"), first) {
		t.Error("the certificate is another")
	}
	for what, text := range map[string][]byte{"junk": []byte("junk"), "block of junk": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), "another's": newPair(t, nil, time.Hour).chain} {
		write(t, f.Certificate, text)
		if bytes.Equal(again(what), text) {
			t.Errorf("%s: the certificate stays", what)
		}
	}
	signed := signedFor(t, newPair(t, nil, time.Hour), key, time.Hour)
	write(t, f.Certificate, signed)
	if !bytes.Equal(again("signed"), signed) {
		t.Error("a certificate that an authority has signed is replaced")
	}
}

func TestMakeRefuses(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		prepare func(t *testing.T, dir string)
		want    string
		unix    bool
	}{
		"junk": {func(t *testing.T, dir string) { write(t, dir+"/key.pem", []byte("junk")) }, "holds no key in PEM; remove it", false},
		"block": {func(t *testing.T, dir string) {
			write(t, dir+"/key.pem", pem.EncodeToMemory(&pem.Block{Bytes: []byte("x")}))
		}, "remove it, and another", false},
		"large":       {func(t *testing.T, dir string) { write(t, dir+"/key.pem", make([]byte, 5<<20)) }, "larger than", false},
		"directory":   {func(t *testing.T, dir string) { mkdir(t, dir+"/key.pem") }, "no regular file", false},
		"open key":    {func(t *testing.T, dir string) { write(t, dir+"/key.pem", nil); chmod(t, dir+"/key.pem", 0o644) }, "chmod 600", true},
		"open to all": {func(t *testing.T, dir string) { chmod(t, dir, 0o755) }, "the directory", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir() + "/tls"
			mkdir(t, dir)
			row.prepare(t, dir)
			before, _ := os.ReadFile(dir + "/key.pem")
			_, err := hostkey.Make(dir)
			if row.unix && !onUnix {
				return // access lists say it there
			}
			wantError(t, err, row.want)
			if after, _ := os.ReadFile(dir + "/key.pem"); !bytes.Equal(before, after) {
				t.Errorf("the key is now %q", after)
			}
		})
	}
}
