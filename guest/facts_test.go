package guest_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/guest"
)

// nothing drops the value of a function that reads.
func nothing[T any](read func() (T, error)) error {
	_, err := read()
	return err
}

// TestEveryFact wants a function for each fact of the schema, which says what is
// amiss where there is no agent.
func TestEveryFact(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/host.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	read := map[string]error{
		"cpu": nothing(guest.CPU), "disks": nothing(guest.Disks), "filesystems": nothing(guest.Filesystems), "load": nothing(guest.Load),
		"memory": nothing(guest.Memory), "network": nothing(guest.Network), "os": nothing(guest.OS), "processes": nothing(guest.Processes),
		"sensors": nothing(guest.Sensors), "services": nothing(guest.Services), "swap": nothing(guest.Swap), "uptime": nothing(guest.Uptime),
		"users": nothing(guest.Users),
	}
	for name := range schema.Properties {
		if err := read[name]; err == nil || !strings.HasPrefix(err.Error(), "/host/"+name+": not there") || !guest.NotGranted(err) {
			t.Errorf("%s: %v", name, err)
		}
		delete(read, name)
	}
	if len(read) > 0 {
		t.Errorf("functions for facts that there are not: %v", read)
	}
}

func TestOutsideOfTheAgent(t *testing.T) {
	t.Parallel()
	_, env := guest.Env("TOKEN")
	_, command := guest.Command("check_x", "a")
	_, line := guest.Command("check_x", "a", "b\nc")
	for err, says := range map[error]string{
		env:     "/env/TOKEN: not there; it exists for a WebAssembly program inside the agent",
		command: "/command/check_x: not there",
		line:    `/command/check_x: the argument "b\nc" holds a line end`,
	} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	type document struct {
		A int `json:"a"`
	}
	for text, says := range map[string]string{
		`{"a": 1, "later": null}`: "",
		`{"a": "1"}`:              "cannot unmarshal string",
		`{"a": 1} {}`:             "after top-level value",
		``:                        "unexpected end of JSON input",
	} {
		file := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := guest.Document[document](file)
		switch {
		case says == "" && (err != nil || d.A != 1):
			t.Errorf("%s: %+v, %v", text, d, err)
		case says != "" && (err == nil || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), file)):
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

// TestAsk has a file that stands for a command.
func TestAsk(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, []byte("....the answer"), 0o600); err != nil {
		t.Fatal(err)
	}
	answer, err := guest.Ask(file, []string{"a", "b"})
	if err != nil || string(answer) != "the answer" {
		t.Errorf("%q, %v", answer, err)
	}
	if data, err := os.ReadFile(file); err != nil || !slices.Equal(strings.Split(string(data), "\n"), []string{"a", "b", "the answer"}) {
		t.Errorf("%q, %v", data, err)
	}
}
