package providers_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
)

var host = providers.Grant{Allow: everything, Limits: policy.Limits{Time: time.Minute}}

func TestBatchFileAnswers(t *testing.T) {
	t.Parallel()
	p := newProviders(t, nil)
	rows := []struct {
		name, content string
		args          []string
		state         check.State
		text          string
	}{
		{"arguments", "@echo OK %~1,%~2,%~3\r\n", []string{"Test Test", "", "drive=C:"}, check.StateOK, "OK Test Test,,drive=C:"},
		{"status", "@echo bad\r\n@exit /b 2\r\n", nil, check.StateCritical, "bad"},
		{"another status", "@echo bad\r\n@exit /b 77\r\n", nil, check.StateUnknown, "77"},
		{"standard input is empty", "@set /p x=\r\n@echo OK\r\n", nil, check.StateOK, "OK"},
		{"environment", "@echo OK %WASMAGENT_TEST_SECRET%.\r\n", nil, check.StateOK, "OK"},
		{"working directory", "@type s\\data.txt\r\n", nil, check.StateOK, "OK data"},
	}
	for _, row := range rows {
		files := map[string]string{"s/a.bat": row.content, "s/data.txt": "OK data\r\n"}
		l := loadAll(t, p, readModule(t, manifest{Scripts: []any{"s/a.bat"}}, files, nil), host)
		r, err := ask(t, l, row.args...)
		if err != nil || r.State != row.state || !strings.Contains(r.Text, row.text) {
			t.Errorf("%s: got %v %q, %v; want %v %q", row.name, r.State, r.Text, err, row.state, row.text)
		}
	}
}

func TestBatchFileGetsItsInput(t *testing.T) {
	t.Parallel()
	l := loadAll(t, newProviders(t, nil), one(t, "a.bat", "@set /p x=\r\n@echo OK %x%\r\n"), host)
	if r, err := hear(t, l, "heard\r\nmore\r\n"); err != nil || r.Text != "OK heard" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestBatchFileRefusesWhatCmdInterprets(t *testing.T) {
	t.Parallel()
	l := loadAll(t, newProviders(t, nil), one(t, "a.bat", "@echo OK %~1\r\n"), host)
	_, err := ask(t, l, "x & echo injected")
	wantText(t, err, "a.bat", "cmd.exe would interpret")
}

func TestHostileBatchFilesAreStopped(t *testing.T) {
	t.Parallel()
	p := newProviders(t, nil)
	for name, row := range map[string]struct{ content, text string }{
		"spins":               {":a\r\n@goto a\r\n", "time limit"},
		"prints without end":  {":a\r\n@echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n@goto a\r\n", "output limit"},
		"waits for its child": {"@cmd /c child.bat\r\n", "time limit"},
	} {
		files := map[string]string{"a.bat": row.content, "child.bat": ":a\r\n@goto a\r\n"}
		limits := policy.Limits{Time: time.Second, Output: 16 * policy.KiB}
		if row.text == "output limit" {
			limits.Time = time.Minute
		}
		l := loadAll(t, p, readModule(t, manifest{Scripts: []any{"a.bat"}}, files, nil), providers.Grant{Allow: everything, Limits: limits})
		r, err := ask(t, l)
		if err != nil || r.State != check.StateUnknown || !strings.Contains(r.Text, row.text) {
			t.Errorf("%s: got %v %.200q, %v", name, r.State, r.Text, err)
		}
	}
}

func TestUnpackedModuleIsRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + `\unpacked`
	p := newProviders(t, func(c *providers.Config) { c.UnpackDir = dir })
	l, err := p.Load(t.Context(), one(t, "a.bat", "@echo OK\r\n"), host)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := ask(t, l); err != nil || r.State != check.StateOK {
		t.Errorf("got %+v, %v", r, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != "lock" {
		t.Errorf("left %v, %v; want the lock", left, err)
	}
}
