//go:build unix

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/access"
)

// roundabout are commands that have another one run, and what comes of it for
// somebody who may run check_* alone.
var roundabout = []struct {
	args, answers string
}{
	{"check_multi!command=check_ok fine", "OK: fine"},
	{"check_multi!command=hidden", "not allowed to whoever asks"},
	{"check_negate!hidden", "not allowed to whoever asks"},
	{"check_always_ok!command=Aliases.hidden", "not allowed to whoever asks"},
	{"check_timeout!command=check_multi command=HIDDEN", "not allowed to whoever asks"},
	{"check_alias!command=check_ok fine", "OK: the secret, OK: fine"}, // config.toml has it run
}

// TestCommandsRunWithinGrants has commands run others, for those who may run only some.
func TestCommandsRunWithinGrants(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := strings.Replace(serving("[modules]\nCheckHelpers = true\n[aliases]\nhidden = \"check_ok the secret\"\ncheck_alias = \"check_multi command=hidden\"\n"),
		"[nrpe]\n", "[nrpe]\nallow_arguments = true\ncommands = [\"check_*\"]\n", 1)
	write(t, filepath.Join(dir, "config.toml"), "users = \"users.toml\"\n"+text+"[prometheus]\nlisten = [\"127.0.0.1:0\"]\n")
	users := fmt.Sprintf("[users.some]\ntokens = [%q]\nroles = [\"checks\"]\n[roles.checks]\nallow = [\"GET /**\"]\ncommands = [\"check_*\"]\n", access.DigestOf("token"))
	write(t, filepath.Join(dir, "users.toml"), users)
	c := serve(t, dir).ready(t)
	for _, row := range roundabout {
		if _, text, err := c.nrpe(t.Context(), row.args); err != nil || !strings.Contains(text, row.answers) {
			t.Errorf("NRPE: %s answers %q, %v; want %q", row.args, text, err, row.answers)
		}
		command, argument, _ := strings.Cut(row.args, "!")
		argument = url.QueryEscape(argument)
		for _, path := range []string{
			c.ports["rest"] + "/api/v2/queries/" + command + "/commands/execute?" + argument,
			c.ports["rest"] + "/query/" + command + "?" + argument,
			c.ports["prometheus"] + "/probe?debug=true&command=" + command + "&arg=" + argument,
		} {
			if text := c.withToken(t, path, "token"); !strings.Contains(text, row.answers) {
				t.Errorf("%s answers %q, want %q", path, text, row.answers)
			}
		}
	}
}

// withToken is the answer to who has a token.
func (c *client) withToken(t *testing.T, url, token string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	answer, err := c.web.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
