package zipmod_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/zipmod"
)

// subscribing is a module.json with a script and these subscriptions.
func subscribing(list string) string {
	return `{"name": "x", "scripts": ["scripts/check_a.sh", {"script": "README", "alias": "Notify"}], "subscribe": [` + list + `]}`
}

func subscriptionRows() []manifestRow {
	at := func(column int) string { return fmt.Sprintf("module.json:1:%d: ", len(subscribing(""))-2+column) }
	return []manifestRow{
		{about: "subscriptions", text: subscribing(`{"on": "result", "run": "check_a"}, {"on": "state_change", "commands": ["check_*", "Web.check_[a-c]?"], "run": "notify \"a b\" $x"}`)},
		{about: "no subscription", text: subscribing(``)},

		{about: "a subscription that is a string", text: subscribing(`"result"`), want: []string{at(1) + `subscribe[0] is a string; write an object`}},
		{about: "an empty subscription", text: subscribing(`{}`), want: []string{at(1) + `subscribe[0] has no "on"; add a string`, `subscribe[0] has no "run"; add a string`}},
		{about: "an unknown event", text: subscribing(`{"on": "reload", "run": "notify"}`), want: []string{at(8) + `subscribe[0].on is "reload"; write "result" or "state_change"`}},
		{about: "an unknown key of a subscription", text: subscribing(`{"on": "result", "command": [], "run": "notify"}`), want: []string{at(18) + `unknown key "command"; did you mean "commands"?`}},
		{about: "a command that is none", text: subscribing(`{"on": "result", "run": "notfy -v"}`), want: []string{at(25) + `run names "notfy", which is no command of this module; did you mean "Notify"?`}},
		{about: "the command of another module", text: subscribing(`{"on": "result", "run": "CheckSystem.check_cpu"}`), want: []string{`which is no command of this module`}},
		{about: "a blank command to run", text: subscribing(`{"on": "result", "run": " "}`), want: []string{at(25) + `the command line " " names no command`}},
		{about: "an open quote of a subscription", text: subscribing(`{"on": "result", "run": "notify \"a"}`), want: []string{at(25), "is not closed"}},
		{about: "no commands", text: subscribing(`{"on": "result", "commands": [], "run": "notify"}`), want: []string{at(30) + `commands has 0 patterns; list 1 to 32, or take it out to hear of every command`}},
		{about: "many commands", text: subscribing(`{"on": "result", "commands": [` + strings.Repeat(`"a",`, 32) + `"a"], "run": "notify"}`), want: []string{at(30) + `commands has 33 patterns`}},
		{about: "a pattern of commands that is not closed", text: subscribing(`{"on": "result", "commands": ["a", "check_[ab"], "run": "notify"}`), want: []string{at(36) + `"check_[ab" is no pattern of commands; close every "["`}},
		{about: "two asterisks in a pattern of commands", text: subscribing(`{"on": "result", "commands": ["check**"], "run": "notify"}`), want: []string{`write "*" and not "**"`}},
		{about: "braces in a pattern of commands", text: subscribing(`{"on": "result", "commands": ["check_{a,b}"], "run": "notify"}`), want: []string{at(31) + `subscribe[0].commands[0] is "check_{a,b}"; write a command's name, or a pattern`}},
		{about: "a path in place of a command", text: subscribing(`{"on": "result", "commands": ["/event/a"], "run": "notify"}`), want: []string{`commands[0] is "/event/a"; write a command's name`}},
		{about: "two dots in place of a command", text: subscribing(`{"on": "result", "commands": [".."], "run": "notify"}`), want: []string{`".." is no pattern of commands`}},
		{about: "many subscriptions", text: subscribing(strings.Repeat(`{"on": "result", "run": "notify"},`, 16) + `{"on": "result", "run": "notify"}`), want: []string{"subscribe has more than 16 entries; join those that run the same"}},
	}
}

func TestReadTakesSubscriptions(t *testing.T) {
	t.Parallel()
	m, err := zipmod.Read("x", withFiles(t, subscriptionRows()[0].text), zipmod.Options{})
	if err != nil || len(m.Subscriptions) != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	all, some := m.Subscriptions[0], m.Subscriptions[1]
	if all.On != zipmod.OnResult || all.Alias != "check_a" || len(all.Args) != 0 || all.Commands != nil {
		t.Errorf("the first is %+v", all)
	}
	if some.On != zipmod.OnStateChange || some.Alias != "Notify" || !reflect.DeepEqual(some.Args, []string{"a b", "$x"}) || !slices.Equal(some.Commands, []string{"check_*", "Web.check_[a-c]?"}) {
		t.Errorf("the second is %+v", some)
	}
	for command, want := range map[string]bool{
		"check_http": true, "CHECK_HTTP": true, "check_": true, "web.check_b1": true, "WEB.CHECK_B1": true,
		"web.check_d1": false, "web.check_b": false, "acheck_": false, "": false, "..": false, "check_/x": false, strings.Repeat("check_", 1000): false,
	} {
		if got := some.Matches(command); got != want {
			t.Errorf("%q matches: %v, want %v", command, got, want)
		}
		if !all.Matches(command) {
			t.Errorf("%q is no command of all", command)
		}
	}
}
