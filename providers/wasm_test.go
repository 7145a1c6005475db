package providers_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
)

func TestWasmScriptAnswers(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, program string
		state         check.State
		text          string
	}{
		{"OK", says("OK fine|load=1;2;3", 0), check.StateOK, "OK fine"},
		{"WARNING", says("WARNING so so", 1), check.StateWarning, "WARNING so so"},
		{"CRITICAL", says("CRITICAL bad", 2), check.StateCritical, "CRITICAL bad"},
		{"UNKNOWN", says("who knows", 3), check.StateUnknown, "who knows"},
		{"no output", says("", 0), check.StateUnknown, "no output"},
		{"no output but an excuse", complains("", "cannot read\nmore\n", 0), check.StateUnknown, "cannot read"},
		{"none of the four", says("OK fine", 42), check.StateUnknown, "42"},
		{"minus one", says("OK fine", -1), check.StateUnknown, "OK fine"},
		{"a Go panic", complains("half", "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n", 2), check.StateUnknown, "the script crashed: panic: boom"},
		{"a Go panic without output", complains("", "fatal error: boom\n\ngoroutine 1 [running]:\n", 2), check.StateUnknown, "the script crashed: fatal error: boom"},
		{"a Go panic in a reactor", givesUp("half", "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n"), check.StateUnknown, "the script crashed: panic: boom"},
		{"CRITICAL beside noise", complains("CRITICAL bad", "panic: no, only said so\n", 2), check.StateCritical, "CRITICAL bad"},
		{"control characters", complains("", "a\x1b[31mb\xff\n", 0), check.StateUnknown, "a [31mb\uFFFD"},
		{"a trap", traps(), check.StateUnknown, "unreachable"},
		{"a trap with a reason", givesUp("half", "panic: boom\n"), check.StateUnknown, "the program gave up, as a panic, an abort or a failed assertion does: panic: boom"},
	}
	p := newProviders(t, nil)
	for _, row := range rows {
		l := loadAll(t, p, one(t, "a.wasm", row.program), providers.Grant{})
		r, err := ask(t, l)
		if err != nil || r.State != row.state || !strings.Contains(r.Text, row.text) {
			t.Errorf("%s: got %v %q, %v; want %v %q", row.name, r.State, r.Text, err, row.state, row.text)
		}
		if r.Usage.Instructions == 0 {
			t.Errorf("%s: usage is missing: %+v", row.name, r.Usage)
		}
	}
}

func TestWhatACrashedScriptPrintedIsKept(t *testing.T) {
	t.Parallel()
	const crash = "panic: boom\n\ngoroutine 1 [running]:\n"
	for name, program := range map[string]string{"command": complains("one\ntwo\n", crash, 2), "reactor": givesUp("one\ntwo\n", crash)} {
		l := loadAll(t, newProviders(t, nil), one(t, "a.wasm", program), providers.Grant{})
		if r, err := ask(t, l); err != nil || r.Long != "one\ntwo" {
			t.Errorf("%s: got %q, %v", name, r.Long, err)
		}
	}
}

func TestWasmScriptGetsItsInput(t *testing.T) {
	t.Parallel()
	l := loadAll(t, newProviders(t, nil), one(t, "a.wasm", string(wasmtest.Copy())), providers.Grant{})
	for _, input := range []string{"OK heard", "", "OK again"} {
		if r, err := hear(t, l, input); err != nil || input != "" && r.Text != input {
			t.Errorf("of %q it made %q, %v", input, r.Text, err)
		}
	}
}

func TestWasmScriptGetsItsArguments(t *testing.T) {
	t.Parallel()
	m := readModule(t, manifest{Scripts: []any{
		object{"script": "s/a.wasm", "alias": "x", "command": `a.wasm -w "$ARG1$ %" $ARGS$`},
		"s/a.wasm",
	}}, map[string]string{"s/a.wasm": echoes()}, nil)
	l := loadAll(t, newProviders(t, nil), m, providers.Grant{})
	for i, want := range []string{"a.wasm -w 1 2 % 1 2 `id` ", "a.wasm 1 2 `id` "} {
		r, err := l.Commands[i].Runner.Run(t.Context(), check.Request{Args: []string{"1 2", "`id`"}})
		got := strings.ReplaceAll(r.Text, "\uFFFD", " ")
		if err != nil || strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("%s: got %q, %v; want %q", l.Commands[i].Script.Alias, got, err, want)
		}
	}
	_, err := ask(t, l, "a\x00b")
	wantText(t, err, "NUL")
}

func TestWasmScriptIsStopped(t *testing.T) {
	t.Parallel()
	p := newProviders(t, nil)
	for name, program := range map[string]string{"spins": spins(), "prints": printsForever()} {
		l := loadAll(t, p, one(t, "a.wasm", program), providers.Grant{Limits: policy.Limits{Time: 200 * time.Millisecond}})
		r, err := ask(t, l)
		if err != nil || r.State != check.StateUnknown || r.Text == "" {
			t.Errorf("%s: got %+v, %v", name, r, err)
		}
	}
}

func TestFactsAreThereAsFarAsGranted(t *testing.T) {
	t.Parallel()
	p := newProviders(t, func(c *providers.Config) {
		c.Facts = map[string]runtime.Document{"os": fact("{}"), "memory": fact("{}")}
	})
	rows := []struct {
		file    string
		asked   []string
		granted policy.Grants
		there   bool
	}{
		{"host/os", []string{"/host/os"}, policy.Grants{{Pattern: "/host/*"}}, true},
		{"host/os", []string{"/host/**"}, policy.Grants{{Pattern: "/host/os"}}, true},
		{"host/os", []string{"/host/os"}, nil, false},
		{"host/os", nil, policy.Grants{{Pattern: "/host/**"}}, false},
		{"host/memory", []string{"/host/**"}, policy.Grants{{Pattern: "/host/os"}}, false},
		{"module.json", nil, nil, true},
	}
	for _, row := range rows {
		l := loadAll(t, p, one(t, "a.wasm", opens(row.file), row.asked...), providers.Grant{Allow: row.granted})
		r, err := ask(t, l)
		if err != nil || r.Usage.ExitStatus == nil {
			t.Errorf("%s: %+v, %v", row.file, r, err)
			continue
		}
		if there := *r.Usage.ExitStatus == 0; there != row.there {
			t.Errorf("%s asked %q granted %q: there is %v (errno %d), want %v", row.file, row.asked, row.granted, there, *r.Usage.ExitStatus, row.there)
		}
	}
}

func TestRunsAreBoundedPerModule(t *testing.T) {
	t.Parallel()
	reading, answer := make(chan struct{}), make(chan struct{})
	p := newProviders(t, func(c *providers.Config) {
		c.Facts = map[string]runtime.Document{"os": func(context.Context) ([]byte, error) {
			close(reading)
			<-answer
			return []byte("{}"), nil
		}}
	})
	m := readModule(t, manifest{Scripts: []any{"a.wasm", "b.wasm"}, Permissions: []string{"/host/os"}},
		map[string]string{"a.wasm": opens("host/os"), "b.wasm": says("OK", 0)}, nil)
	l := loadAll(t, p, m, providers.Grant{Allow: everything, Limits: policy.Limits{Runs: 1}})
	var wg sync.WaitGroup
	wg.Go(func() {
		if r, err := ask(t, l); err != nil || r.Usage.ExitStatus == nil || *r.Usage.ExitStatus != 0 {
			t.Errorf("the first run: %+v, %v", r, err)
		}
	})
	<-reading
	_, err := l.Commands[1].Runner.Run(t.Context(), check.Request{})
	wantText(t, err, "module web has 1 checks running", "limits.runs")
	close(answer)
	wg.Wait()
	if r, err := l.Commands[1].Runner.Run(t.Context(), check.Request{}); err != nil || r.State != check.StateOK {
		t.Errorf("after it: %+v, %v", r, err)
	}
}

func TestRunsInParallel(t *testing.T) {
	t.Parallel()
	l := loadAll(t, newProviders(t, nil), one(t, "a.wasm", echoes()), providers.Grant{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, arg := range []string{"one", "two", "three"} {
				if r, err := ask(t, l, arg); err != nil || !strings.Contains(r.Text, arg) {
					t.Errorf("%s: %q, %v", arg, r.Text, err)
				}
			}
		})
	}
	wg.Wait()
}
