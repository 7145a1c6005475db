package providers_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/providers/confine"
)

// Children that leave their process group and their session end with the run
// all the same, and so do theirs.
func TestChildrenThatEscape(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("setsid"); err != nil {
		needInterpreter(t, fmt.Errorf("%w: install it", err))
	}
	const (
		one  = `setsid sh -c 'echo x >there; exec sleep 1000' & `
		many = `setsid sh -c 'setsid sh -c "sleep 1000 & setsid sleep 1000 & echo x >there; exec sleep 1000" & setsid sleep 1000 & exec sleep 1000' & `
		done = `until [ -s there ]; do :; done; echo OK`
	)
	p := newProviders(t, nil)
	for _, row := range []struct {
		content, text string
		limit         time.Duration
	}{
		{one + done, "OK", time.Minute},
		{many + done, "OK", time.Minute},
		{many + `exec sleep 1000`, "time limit", time.Second},
	} {
		l, processes := watched(t, p, row.content, policy.Limits{Time: row.limit})
		r, err := ask(t, l, processes.name)
		if err != nil || !strings.Contains(r.Text, row.text) {
			t.Errorf("got %+v, %v; want %q", r, err, row.text)
		}
		if err := processes.wait(); err != nil {
			t.Error(err)
		}
	}
}

// A script with a user of its own has its module's directory to itself, and gets
// to nothing that is the agent's.
func TestScriptsWithAUserOfTheirOwn(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		_, err := providers.New(providers.Config{Native: confine.Config{User: "nobody"}})
		wantText(t, err, `native.user "nobody"`, "runs as root")
		return
	}
	base := t.TempDir()
	dir := filepath.Join(base, "unpacked")
	config := func(c *providers.Config) { c.Native.User, c.UnpackDir = "nobody", dir }
	m := readModule(t, manifest{Scripts: []any{"s/a.sh"}}, map[string]string{
		"s/a.sh": `echo x >new && rm data/x && ls "$PWD/.." 2>&1; cat ../lock 2>&1; stat -c %U s/a.sh . data; id -un; pwd`, "data/x": "x"}, nil)
	_, err := ask(t, loadAll(t, newProviders(t, config), m, host))
	wantText(t, err, "user nobody of native scripts cannot pass through", filepath.Dir(base), "chmod")

	if err := os.Chmod(filepath.Dir(base), 0o711); err != nil {
		t.Fatal(err)
	}
	l, err := newProviders(t, config).Load(t.Context(), m, host)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ask(t, l)
	if err != nil || strings.Count(r.Text+r.Long, "Permission denied") != 2 || !strings.Contains(r.Long, "nobody\nnobody\nnobody\nnobody\n"+dir) {
		t.Errorf("got %+v, %v", r, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if left := tree(t, dir); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

// Loading says which scripts leave the sandbox, and what is not confined of them.
func TestLoadSaysWhatIsOutside(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	p := newProviders(t, func(c *providers.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	loadAll(t, p, one(t, "a.sh", "echo"), providers.Grant{})
	loadAll(t, p, one(t, "a.wasm", says("OK", 0)), host)
	if log.Len() > 0 {
		t.Errorf("of scripts that cannot leave it: %s", log.String())
	}
	loadAll(t, p, one(t, "a.sh", "echo"), host)
	if text := log.String(); !strings.Contains(text, "OUTSIDE") || !strings.Contains(text, "module=web") || !strings.Contains(text, "a.sh") || !strings.Contains(text, "the user: ") {
		t.Errorf("got %q", text)
	}
}

// A script that may not take any time is stopped before it starts.
func TestNoTimeAtAll(t *testing.T) {
	t.Parallel()
	l := loadAll(t, newProviders(t, nil), one(t, "a.sh", "echo OK"), providers.Grant{Allow: everything, Limits: policy.Limits{Time: 1}})
	r, err := ask(t, l)
	if err != nil || r.State != check.StateUnknown || !strings.Contains(r.Text, "time limit of 1ns") {
		t.Errorf("got %+v, %v", r, err)
	}
}
