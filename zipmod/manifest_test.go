package zipmod_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/zipmod"
)

// files are those of the zips that the module.json of the rows below is in.
var files = []string{"scripts/check_a.sh", "scripts/check_b.py", "scripts/deep/check_c.v2.wasm", "scripts/my check.sh", "scripts/[x].sh", "README"}

// A manifestRow is a module.json with its mistakes, or none.
type manifestRow struct {
	about, text string
	want        []string
}

func manifests() []manifestRow {
	rows := []manifestRow{
		{about: "only a name", text: `{"name": "x"}`},
		{about: "all keys", text: `{"$schema": "../docs/module.schema.json", "name": "Name of it", "description": "two\nlines", "version": "1 (beta)",
			"modules": ["CheckSystem", "other.zip"], "scripts": ["README"], "on_start": ["x \"y z\""], "permissions": ["/host/*"]}`},
		{about: "empty lists", text: `{"name": "x", "modules": [], "scripts": [], "on_start": [], "permissions": []}`},
		{about: "a byte order mark", text: "\ufeff{\"name\": \"x\"}"},
		{about: "line ends of Windows", text: "{\r\n\"name\": \"x\"\r\n}\r\n"},
		{about: "a module twice", text: `{"name": "x", "modules": ["a", "A.zip"]}`},
		{about: "a pattern of few files", text: `{"name": "x", "scripts": ["scripts/**/check_*.{sh,py,wasm}", "README"]}`},
		{about: "many patterns that match one file", text: `{"name": "x", "scripts": ["scripts/check_a.*", "scripts/check_*.sh"]}`},
		{about: "a file that looks like a pattern", text: `{"name": "x", "scripts": [{"script": "scripts/[x].sh", "alias": "x"}]}`},
		{about: "two commands of one script", text: `{"name": "x", "scripts": ["README", {"script": "README", "alias": "other"}]}`},
		{about: "the script's path in the command", text: `{"name": "x", "scripts": [{"script": "scripts/check_a.sh", "command": "scripts/check_a.sh -v $ARGS$"}]}`},

		{about: "nothing", text: ``, want: []string{"module.json:1:1: unexpected end of JSON input"}},
		{about: "no object", text: `"x"`, want: []string{"module.json:1:1: module.json is a string; write an object"}},
		{about: "null", text: `null`, want: []string{"module.json:1:1: module.json is null; write an object"}},
		{about: "no name", text: "\n {}", want: []string{`module.json:2:2: module.json has no "name"; add a string`}},
		{about: "an empty name", text: `{"name": ""}`, want: []string{`module.json:1:10: name is ""; write 1 to 256 characters`}},
		{about: "an escape in the name", text: `{"name": "\u001b[31m"}`, want: []string{`module.json:1:10: name is "\x1b[31m"; write 1 to 256 characters without control characters`}},
		{about: "an escape in the description", text: `{"name": "x", "description": "\u001b"}`, want: []string{`module.json:1:30: description is`}},
		{about: "a long version", text: `{"name": "x", "version": "` + strings.Repeat("1", 257) + `"}`, want: []string{`module.json:1:26: version is`}},
		{about: "a wrong type", text: `{"name": 1}`, want: []string{"module.json:1:10: name is a number; write a string"}},
		{about: "every wrong type", text: "{\"name\": true,\n\"description\": null,\n\"version\": [],\n\"modules\": \"CheckSystem\",\n\"scripts\": {},\n\"on_start\": [1],\n\"permissions\": [[]]}", want: []string{
			"module.json:1:10: name is true or false; write a string",
			"module.json:2:16: description is null; write a string",
			"module.json:3:12: version is a list; write a string",
			"module.json:4:12: modules is a string; write a list, each of its values a string",
			"module.json:5:12: scripts is an object; write a list, each of its values a string or an object",
			"module.json:6:14: on_start[0] is a number; write a string",
			"module.json:7:17: permissions[0] is a list; write a string",
		}},

		{about: "an unknown key", text: "{\n\t\"name\": \"x\",\n\t\"author\": \"y\"\n}", want: []string{`module.json:3:2: unknown key "author"; the keys are $schema, name, description, version, modules, scripts, on_start, subscribe, permissions`}},
		{about: "a mistyped key", text: `{"name": "x", "script": []}`, want: []string{`module.json:1:15: unknown key "script"; did you mean "scripts"?`}},
		{about: "a key of another case", text: `{"Name": "x", "name": "x"}`, want: []string{`module.json:1:2: unknown key "Name"; did you mean "name"?`}},
		{about: "a key in another style", text: `{"name": "x", "onStart": []}`, want: []string{`module.json:1:15: unknown key "onStart"; did you mean "on_start"?`}},
		{about: "an unknown key of a script", text: `{"name": "x", "scripts": [{"script": "README", "comand": "README"}]}`, want: []string{`module.json:1:48: unknown key "comand"; did you mean "command"?`}},
		{about: "a long unknown key", text: `{"name": "x", "` + strings.Repeat("y", 1000) + `": 1}`, want: []string{`module.json:1:15: unknown key "yyy`, "the keys are"}},
		{about: "a key twice", text: `{"name": "x", "name": "y"}`, want: []string{`module.json:1:15: key "name" is there twice; keep one`}},
		{about: "a key twice by escapes", text: `{"name": "x", "\u006eame": "y"}`, want: []string{`module.json:1:15: key "name" is there twice; keep one`}},
		{about: "a key twice in a script", text: `{"name": "x", "scripts": [{"script": "README", "alias": "a", "alias": "b"}]}`, want: []string{`module.json:1:62: key "alias" is there twice`}},
		{about: "columns in characters", text: `{"description": "日本", "nam": "x"}`, want: []string{`module.json:1:1: module.json has no "name"`, `module.json:1:23: unknown key "nam"; did you mean "name"?`}},

		{about: "data after the object", text: "{\"name\": \"x\"}\n{}", want: []string{"module.json:2:1: invalid character '{' after top-level value"}},
		{about: "cut off", text: "{\"name\":\n \"x\"", want: []string{"module.json:2:5: unexpected end of JSON input; close what is open"}},
		{about: "a trailing comma", text: "{\"name\": \"x\",\n}", want: []string{"module.json:2:1: invalid character '}'", "take out the comma before it"}},
		{about: "a trailing comma in a list", text: `{"name": "x", "modules": ["a", ]}`, want: []string{"module.json:1:32: invalid character ']'", "take out the comma before it"}},
		{about: "a missing comma", text: "{\"name\": \"x\"\n\"version\": \"1\"}", want: []string{"module.json:2:1: invalid character '\"' after object key:value pair"}},
		{about: "a comment", text: "{\n// what it is\n\"name\": \"x\"}", want: []string{"module.json:2:1: invalid character '/'", "JSON has no comments"}},
		{about: "single quotes", text: `{'name': "x"}`, want: []string{`module.json:1:2: invalid character '\''`, "write strings in double quotes"}},
		{about: "a line break in a string", text: "{\"name\": \"x\ny\"}", want: []string{"module.json:1:12: invalid character '\\n' in string literal", "write a backslash and n"}},
		{about: "a bad escape", text: `{"name": "C:\x"}`, want: []string{`module.json:1:14: invalid character 'x' in string escape code`}},
		{about: "no UTF-8", text: "{\"name\": \"\xff\"}", want: []string{"module.json:1:11: is not UTF-8 here; save it as UTF-8"}},
		{about: "UTF-16", text: "\xff\xfe{\x00}\x00", want: []string{"module.json:1:1: is UTF-16; save it as UTF-8"}},
		{about: "nested deep", text: `{"name": "x", "modules": ` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, want: []string{"module.json:1:42: is nested deeper than 16 levels"}},
		{about: "nested deeper than encoding/json reads", text: strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), want: []string{"exceeded max depth"}},
		{about: "too large", text: `{"name": "x"}` + strings.Repeat(" ", 256<<10), want: []string{"module.json: is larger than 256 KiB"}},
	}
	return slices.Concat(rows, scriptRows(), commandRows(), subscriptionRows())
}

// scripts is a module.json with these scripts.
func scripts(list string) string { return `{"name": "x", "scripts": [` + list + `]}` }

// position is where scripts puts its list, as errors say it.
const position = "module.json:1:27: "

func scriptRows() []manifestRow {
	return []manifestRow{
		{about: "a missing script", text: scripts(`"scripts/check_d.sh"`), want: []string{position + `the zip has no file "scripts/check_d.sh"; add it or correct the name`}},
		{about: "a script of another case", text: scripts(`"Scripts/check_A.sh"`), want: []string{position + `the zip has no file "Scripts/check_A.sh"; did you mean "scripts/check_a.sh"?`}},
		{about: "a script elsewhere", text: scripts(`"check_a.sh"`), want: []string{position + `the zip has no file "check_a.sh"; did you mean "scripts/check_a.sh"?`}},
		{about: "a backslash in a script", text: scripts(`"scripts\\check_a.sh"`), want: []string{`did you mean "scripts/check_a.sh"?`}},
		{about: "a dot in a script", text: scripts(`"./scripts/check_a.sh"`), want: []string{`did you mean "scripts/check_a.sh"?`}},
		{about: "a directory", text: scripts(`"scripts"`), want: []string{position + `the zip has no file "scripts"`}},
		{about: "an empty script", text: scripts(`""`), want: []string{position + `scripts[0] is ""; write a file's name in the zip`}},
		{about: "a pattern that matches nothing", text: scripts(`"scripts/*.wasm"`), want: []string{position + `the pattern "scripts/*.wasm" matches no file of the zip; correct it or take it out`}},
		{about: "a pattern that matches only module.json", text: scripts(`"*.json"`), want: []string{`the pattern "*.json" matches no file`}},
		{about: "a pattern that is not closed", text: scripts(`"scripts/[ab"`), want: []string{`the pattern "scripts/[ab" is not a valid one; close every "[" and "{"`}},
		{about: "a pattern with many braces", text: scripts(`"{a,b}{a,b}{a,b}"`), want: []string{`has more than 2 "{"`}},
		{about: "a long pattern", text: scripts(`"` + strings.Repeat("*", 257) + `"`), want: []string{"is longer than 256 bytes"}},
		{about: "costly patterns", text: scripts(`"**/{` + strings.Repeat(",", 100) + `}{` + strings.Repeat(",", 100) + `}", "**/{` + strings.Repeat(",", 120) + `}{` + strings.Repeat(",", 120) + `}"`), want: []string{"there are too many patterns for so many files"}},
		{about: "a file whose name is no command", text: scripts(`"scripts/my check.sh"`), want: []string{position + `the file "scripts/my check.sh" would make the command "my check", which is not a name`, `write an object with an "alias"`}},
		{about: "the same by a pattern", text: scripts(`"scripts/my*"`), want: []string{position + `the file "scripts/my check.sh" would make the command "my check"`}},

		{about: "an object without script", text: scripts(`{"alias": "a"}`), want: []string{position + `scripts[0] has no "script"; add a string`}},
		{about: "an object with a missing script", text: scripts(`{"script": "a.sh"}`), want: []string{`module.json:1:38: the zip has no file "a.sh"`}},
		{about: "an object with a pattern", text: scripts(`{"script": "scripts/*.sh"}`), want: []string{`module.json:1:38: the zip has no file "scripts/*.sh"`}},
		{about: "wrong types in an object", text: scripts(`{"script": 1, "alias": 2, "command": 3, "provider": 4}`), want: []string{"scripts[0].script is a number", "scripts[0].alias is a number", "scripts[0].command is a number", "scripts[0].provider is a number"}},
		{about: "a blank in an alias", text: scripts(`{"script": "README", "alias": "a b"}`), want: []string{`module.json:1:57: scripts[0].alias is "a b"; write a name: 1 to 128 characters without blanks`}},
		{about: "a bang in an alias", text: scripts(`{"script": "README", "alias": "a!b"}`), want: []string{`scripts[0].alias is "a!b"`}},
		{about: "a slash in an alias", text: scripts(`{"script": "README", "alias": "a/b"}`), want: []string{`scripts[0].alias is "a/b"`}},
		{about: "a zero-width blank in an alias", text: scripts(`{"script": "README", "alias": "a\u200bb"}`), want: []string{`scripts[0].alias is "a\u200bb"`}},
		{about: "an empty alias", text: scripts(`{"script": "README", "alias": ""}`), want: []string{`scripts[0].alias is ""`}},
		{about: "an empty provider", text: scripts(`{"script": "README", "provider": ""}`), want: []string{`scripts[0].provider is ""`}},
		{about: "two commands of one name", text: scripts(`"README", {"script": "scripts/check_a.sh", "alias": "readMe"}`), want: []string{`module.json:1:37: the command "readMe" of "scripts/check_a.sh" is that of "README" too; write an object with another "alias"`}},
		{about: "one file twice", text: scripts(`"README", "README"`), want: []string{`module.json:1:37: the command "README" of "README" is that of "README" too`}},

		{about: "an empty command", text: scripts(`{"script": "README", "command": ""}`), want: []string{`module.json:1:59: scripts[0].command is ""; write a command line`}},
		{about: "a blank command", text: scripts(`{"script": "README", "command": " "}`), want: []string{`module.json:1:59: the command line " " names no command`}},
		{about: "an open quote in a command", text: scripts(`{"script": "README", "command": "README \"a"}`), want: []string{`module.json:1:59: command line`, "is not closed"}},
		{about: "another script in the command", text: scripts(`{"script": "README", "command": "check_a.sh -v"}`), want: []string{`module.json:1:59: the command line begins with "check_a.sh" and not with the script; begin it with "README"`}},
		{about: "another path in the command", text: scripts(`{"script": "scripts/check_a.sh", "command": "./check_a.sh"}`), want: []string{`begin it with "check_a.sh", or with "scripts/check_a.sh"`}},
	}
}

func commandRows() []manifestRow {
	return []manifestRow{
		{about: "an empty line", text: `{"name": "x", "on_start": ["a", ""]}`, want: []string{`module.json:1:33: on_start[1] is ""; write a command line`}},
		{about: "a blank line", text: `{"name": "x", "on_start": [" \t"]}`, want: []string{`module.json:1:28: the command line " \t" names no command; name one or take the line out`}},
		{about: "an empty command", text: `{"name": "x", "on_start": ["\"\" a"]}`, want: []string{`names no command`}},
		{about: "a NUL in a line", text: `{"name": "x", "on_start": ["a\u0000"]}`, want: []string{`module.json:1:28: on_start[0] is "a\x00"`}},
		{about: "an open quote", text: `{"name": "x", "on_start": ["a \"b"]}`, want: []string{"module.json:1:28: command line", "is not closed"}},

		{about: "a module out of the directory", text: `{"name": "x", "modules": ["../other"]}`, want: []string{`module.json:1:27: modules[0] is "../other"; write a name`}},
		{about: "a module above", text: `{"name": "x", "modules": [".."]}`, want: []string{`modules[0] is ".."`}},
		{about: "a module on a drive", text: `{"name": "x", "modules": ["C:x"]}`, want: []string{`modules[0] is "C:x"`}},

		{about: "a relative permission", text: `{"name": "x", "permissions": ["/host/os", "host/memory"]}`, want: []string{`module.json:1:43: pattern "host/memory"`}},
		{about: "a permission of nothing", text: `{"name": "x", "permissions": ["/etc/passwd"]}`, want: []string{`module.json:1:31: pattern "/etc/passwd"`}},
		{about: "an empty permission", text: `{"name": "x", "permissions": [""]}`, want: []string{`module.json:1:31: permissions[0] is ""`}},
	}
}

// withFiles is a zip with this module.json.
func withFiles(t testing.TB, text string) []byte {
	items := []item{manifest(text)}
	for _, name := range files {
		items = append(items, file(name))
	}
	return build(t, items...)
}

func TestReadJudgesManifests(t *testing.T) {
	t.Parallel()
	for _, row := range manifests() {
		t.Run(row.about, func(t *testing.T) {
			t.Parallel()
			data := withFiles(t, row.text)
			m, err := zipmod.Read("x", data, zipmod.Options{})
			switch {
			case row.want != nil:
				wantError(t, "module.json", err, row.want...)
			case err != nil:
				t.Error(err)
			default:
				checkModule(t, m, data, zipmod.Options{})
			}
		})
	}
}

func TestReadListsMistakesInOrder(t *testing.T) {
	t.Parallel()
	text := "{\n\"name\": \"x\",\n\"scripts\": [\"none\", {\"alias\": \"a\"}],\n\"on_start\": [\" \"],\n\"color\": 1,\n\"permissions\": [\"/x\"]}"
	_, err := zipmod.Read("x", withFiles(t, text), zipmod.Options{})
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	want := []string{"module.json:3:13: ", "module.json:3:21: ", "module.json:4:14: ", "module.json:5:1: ", "module.json:6:17: "}
	if len(lines) != len(want) {
		t.Fatalf("got %d lines, want %d:\n%v", len(lines), len(want), err)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("line %q, want it to begin with %q", line, want[i])
		}
	}
}

func TestReadBoundsErrors(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`""`, `1`, `"none"`, `{"none": 1}`, `"*none"`} {
		list := strings.TrimSuffix(strings.Repeat(value+",", 256<<10/(len(value)+2)), ",")
		_, err := zipmod.Read("x", withFiles(t, scripts(list)), zipmod.Options{})
		wantError(t, value, err, "more mistakes; correct these first")
		if err != nil && len(err.Error()) > 64<<10 {
			t.Errorf("%s: an error of %d bytes", value, len(err.Error()))
		}
	}
}

func TestReadExpandsScripts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ list, want string }{
		{`"scripts/check_a.sh"`, `check_a=scripts/check_a.sh["check_a.sh"]`},
		{`"README"`, `README=README["README"]`},
		{`"**/*.wasm"`, `check_c.v2=scripts/deep/check_c.v2.wasm["check_c.v2.wasm"]`},
		{`"scripts/check_*"`, `check_a=scripts/check_a.sh["check_a.sh"] check_b=scripts/check_b.py["check_b.py"]`},
		{`"R*", "scripts/check_a*"`, `README=README["README"] check_a=scripts/check_a.sh["check_a.sh"]`},
		{`"scripts/check_*", "scripts/check_a.*"`, `check_a=scripts/check_a.sh["check_a.sh"] check_b=scripts/check_b.py["check_b.py"]`},
		{`"scripts/check_*", {"script": "scripts/check_a.sh", "alias": "A"}`, `check_b=scripts/check_b.py["check_b.py"] A=scripts/check_a.sh["check_a.sh"]`},
		{`"scripts/check_*", {"script": "scripts/check_a.sh", "command": "check_a.sh 1"}`, `check_b=scripts/check_b.py["check_b.py"] check_a=scripts/check_a.sh["check_a.sh" "1"]`},
		{`"scripts/check_*", "scripts/check_a.sh"`, `check_b=scripts/check_b.py["check_b.py"] check_a=scripts/check_a.sh["check_a.sh"]`},
		{`"scripts/check_a.*", {"script": "scripts/check_a.sh", "alias": "other"}`, `other=scripts/check_a.sh["check_a.sh"]`},
		{`{"script": "scripts/my check.sh", "alias": "my.check", "command": "\"my check.sh\" a\\b $ARG1$"}`, `my.check=scripts/my check.sh["my check.sh" "a\\b" "$ARG1$"]`},
		{`{"script": "scripts/my check.sh", "alias": "m"}`, `m=scripts/my check.sh["my check.sh"]`},
		{`{"script": "scripts/[x].sh"}`, `[x]=scripts/[x].sh["[x].sh"]`},
		{`{"script": "README", "provider": "WasmScript"}`, `README=WasmScript:README["README"]`},
	} {
		m, err := zipmod.Read("x", withFiles(t, scripts(row.list)), zipmod.Options{})
		if err != nil {
			t.Errorf("%s: %v", row.list, err)
			continue
		}
		var got []string
		for _, s := range m.Scripts {
			file := s.File
			if s.Provider != "" {
				file = s.Provider + ":" + file
			}
			got = append(got, fmt.Sprintf("%s=%s%q", s.Alias, file, s.Command))
		}
		if s := strings.Join(got, " "); s != row.want {
			t.Errorf("%s:\ngot  %s\nwant %s", row.list, s, row.want)
		}
	}
}

func TestReadTakesTheRest(t *testing.T) {
	t.Parallel()
	m, err := zipmod.Read("x", withFiles(t, manifests()[1].text), zipmod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Title != "Name of it" || m.Description != "two\nlines" || m.Version != "1 (beta)" {
		t.Errorf("got %q, %q, %q", m.Title, m.Description, m.Version)
	}
	if want := []string{"CheckSystem", "other"}; !reflect.DeepEqual(m.Requires, want) {
		t.Errorf("modules %q, want %q", m.Requires, want)
	}
	if want := [][]string{{"x", "y z"}}; !reflect.DeepEqual(m.OnStart, want) {
		t.Errorf("on_start %q, want %q", m.OnStart, want)
	}
	if want := (policy.Patterns{"/host/*"}); !reflect.DeepEqual(m.Permissions, want) {
		t.Errorf("permissions %q, want %q", m.Permissions, want)
	}
}
