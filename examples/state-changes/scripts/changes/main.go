// Changes keeps the state changes of scheduled checks that it is told of, and shows
// the last of them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/guest"
)

const (
	file = "/state/changes.log"
	kept = 100 // lines
)

func main() {
	answer := show
	guest.Plugin{
		Name:    "changes",
		Version: "1.0.0",
		About:   "shows the last state changes of scheduled checks; with the word note it takes in the event on its standard input",
		Usage:   "[note]",
		Words: func(words []string) error {
			switch {
			case len(words) == 0:
				return nil
			case len(words) > 1 || words[0] != "note":
				return fmt.Errorf("want note or nothing, not %q", words)
			}
			answer = note
			return nil
		},
		Check: func(context.Context) (check.Result, error) { return answer() },
	}.Main()
}

// An event is as much of one as is kept.
type event struct {
	Time   string `json:"time"`
	Result struct {
		Text string `json:"text"`
	} `json:"result"`
	Standing *struct {
		Check     string      `json:"check"`
		HardState check.State `json:"hard_state"`
	} `json:"standing"`
	Lost uint64 `json:"lost"`
}

// note adds a line for the event on standard input. The agent runs it for one event
// after the other, so that nobody else writes meanwhile.
func note() (check.Result, error) {
	var e event
	if err := json.NewDecoder(os.Stdin).Decode(&e); errors.Is(err, io.EOF) {
		return check.Result{}, errors.New("there is no event on standard input")
	} else if err != nil {
		return check.Result{}, err
	}
	if e.Standing == nil {
		return check.Result{}, errors.New("the event is of no scheduled check; subscribe to state_change")
	}
	lines, err := read()
	if err != nil {
		return check.Result{}, err
	}
	if e.Lost > 0 {
		lines = append(lines, fmt.Sprintf("%s %d events are missing", e.Time, e.Lost))
	}
	lines = append(lines, fmt.Sprintf("%s %s is %s: %s", e.Time, e.Standing.Check, e.Standing.HardState, e.Result.Text))
	return check.Result{State: check.StateOK, Text: "noted"}, write(lines[max(0, len(lines)-kept):])
}

// show answers with the lines, the newest first.
func show() (check.Result, error) {
	lines, err := read()
	if err != nil {
		return check.Result{}, err
	}
	text := fmt.Sprintf("%d state changes", len(lines))
	var long strings.Builder
	for i := len(lines) - 1; i >= 0; i-- {
		fmt.Fprintln(&long, lines[i])
	}
	return check.Result{State: check.StateOK, Text: text, Long: long.String()}, nil
}

func read() ([]string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || len(text) == 0 {
		return nil, nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), err
}

// write puts the lines in the place of those that were there, all at once.
func write(lines []string) error {
	next := file + ".next"
	if err := os.WriteFile(next, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(next, file)
}
