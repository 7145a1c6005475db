package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An apk is a package of Alpine: two tars that are compressed one after the other.
// https://wiki.alpinelinux.org/wiki/Apk_spec
type apkFile struct {
	control map[string]string // what is in the first, by name
	digest  string            // the SHA-256 of the second, compressed
	files   map[string]*tar.Header
	content map[string][]byte
}

// readAPK reads a package, and wants the digests in it to be right.
func readAPK(t *testing.T, name string) apkFile {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	rest := bytes.NewReader(raw)
	a := apkFile{control: map[string]string{}, files: map[string]*tar.Header{}, content: map[string][]byte{}}
	eachIn(t, rest, func(h *tar.Header, content []byte) { a.control[h.Name] = string(content) })
	a.digest = fmt.Sprintf("%x", sha256.Sum256(raw[len(raw)-rest.Len():]))
	eachIn(t, rest, func(h *tar.Header, content []byte) {
		a.files[h.Name], a.content[h.Name] = h, content
		if sum := sha1.Sum(content); h.Typeflag == tar.TypeReg && h.PAXRecords["APK-TOOLS.checksum.SHA1"] != hex.EncodeToString(sum[:]) {
			t.Errorf("%s has the checksum %q", h.Name, h.PAXRecords["APK-TOOLS.checksum.SHA1"])
		}
	})
	if rest.Len() != 0 {
		t.Errorf("%d bytes follow the two parts", rest.Len())
	}
	return a
}

// eachIn reads one compressed tar, and nothing behind it. The first has no end mark.
func eachIn(t *testing.T, r *bytes.Reader, do func(*tar.Header, []byte)) {
	t.Helper()
	member, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	member.Multistream(false)
	for archive := tar.NewReader(member); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		do(h, content)
	}
	if _, err := io.Copy(io.Discard, member); err != nil {
		t.Fatal(err)
	}
}

func TestAPK(t *testing.T) {
	a := readAPK(t, one(t, "1.0.0/*.apk"))
	for _, line := range []string{"pkgname = wasmagent", "pkgver = 1.0.0-r1", "datahash = " + a.digest} {
		if !strings.Contains("\n"+a.control[".PKGINFO"], "\n"+line+"\n") {
			t.Errorf("there is no %q in\n%s", line, a.control[".PKGINFO"])
		}
	}
	want := []string{".PKGINFO", ".post-deinstall", ".post-install", ".post-upgrade", ".pre-deinstall", ".pre-install"}
	if got := slices.Sorted(maps.Keys(a.control)); !slices.Equal(got, want) {
		t.Errorf("the control part has %q, want %q", got, want)
	}
	for name, mode := range map[string]int64{"usr/bin/wasmagent": 0o755, "etc/init.d/wasmagent": 0o755, "etc/wasmagent/config.toml": 0o640, "usr/share/doc/wasmagent/service.md": 0o644} {
		if h := a.files[name]; h == nil || h.Mode&0o7777 != mode || h.Uid != 0 {
			t.Errorf("%s is %+v, want mode %#o", name, h, mode)
		}
	}
	for name := range a.files {
		if strings.Contains(name, "systemd") {
			t.Errorf("%s is of no use on Alpine", name)
		}
	}
}

// TestOpenRC starts and stops what the package of Alpine has with the OpenRC of
// Debian.
func TestOpenRC(t *testing.T) {
	needTools(t, "rc-service", "supervise-daemon")
	a := readAPK(t, one(t, "1.0.0/*.apk"))
	dir := t.TempDir()
	for name, content := range a.content {
		if a.files[name].Typeflag != tar.TypeReg {
			continue
		}
		if err := os.MkdirAll(filepath.Join(dir, "root", filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "root", name), content, os.FileMode(a.files[name].Mode)); err != nil {
			t.Fatal(err)
		}
	}
	for name, script := range a.control {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m := boot(t, dir)
	// The user is made by the programs of busybox on Alpine, which are not here.
	m.run(t, `for script in /opt/packages/.p*l; do sh -n $script; done
useradd --system --user-group --home-dir /var/lib/wasmagent wasmagent
cp -r /opt/packages/root/. /
/opt/packages/.post-install
cd /tmp; for state in starting started stopping inactive wasinactive failed hotplugged daemons options exclusive scheduled tmp; do mkdir -p /run/openrc/$state; done; touch /run/openrc/softlevel`)
	m.run(t, "rc-service --nodeps wasmagent start >/tmp/log 2>&1") // which the service keeps open
	m.run(t, logged("msg=ready.*modules=2"))
	m.wants(t, "cat /proc/$(pgrep -u wasmagent -x wasmagent)/status", "NoNewPrivs:\t1", "CapPrm:\t0000000000000000")
	m.run(t, "rc-service --nodeps wasmagent reload; "+logged("msg=reloaded"))
	m.run(t, "rc-update add wasmagent default; rc-service --nodeps wasmagent status")
	m.run(t, "/opt/packages/.pre-deinstall; test ! -e /etc/runlevels/default/wasmagent")
	m.fails(t, "pgrep -x wasmagent", 1)
}

// logged waits until the log has a line.
func logged(pattern string) string {
	return "bash -c 'grep --max-count 1 " + pattern + " <(exec tail --lines +1 --follow=name --retry /var/log/wasmagent.log 2>/dev/null)'"
}

// TestArchives has the agent of each archive run, where this machine can.
func TestArchives(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "tar", "-C", dir, "-xf", one(t, "1.0.0/*_linux_*.tar.gz")).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	found, err := filepath.Glob(filepath.Join(dir, "wasmagent_1.0.0_linux_*", "wasmagent"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the archive has the agents %q", found)
	}
	out, err := exec.CommandContext(t.Context(), found[0], "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "wasmagent 1.0.0\n") {
		t.Errorf("the agent says %q: %v", out, err)
	}
	out, err = exec.CommandContext(t.Context(), found[0], "--config", filepath.Join(filepath.Dir(found[0]), "config.toml"), "config", "check").CombinedOutput()
	if err != nil {
		t.Errorf("its configuration: %v\n%s", err, out)
	}
}
