package migrate

import (
	"path/filepath"
	"strings"
)

// readINI reads the text of an nsclient.ini, and what it includes, behind it.
// Variables in its values are replaced.
func (d disk) readINI(name, text string) settings {
	var s settings
	d.addINI(&s, name, text)
	s.index()
	variables{&s, filepath.Dir(name)}.replace()
	return s
}

func (d disk) addINI(s *settings, name, text string) {
	s.files++
	section, number, first := "", 0, len(s.entries)
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == ';' || line[0] == '#':
		case line[0] == '[':
			section = strings.TrimSpace(strings.Trim(line, "[]"))
		default:
			s.add(name, number, section, line)
		}
	}
	for _, e := range s.entries[first:] {
		if fold(e.section) == "/includes" {
			e.taken = true
			d.includeINI(s, e)
		}
	}
}

// add adds a line of an INI file.
func (s *settings) add(file string, number int, section, line string) {
	key, value, ok := strings.Cut(line, "=")
	if !ok {
		s.unread = append(s.unread, Remark{file, number, line, "this line is neither KEY = VALUE nor a [section]; it had no effect"})
		return
	}
	value = unquote(strings.TrimSpace(value))
	s.entries = append(s.entries, &entry{file: file, line: number, section: section, key: strings.TrimSpace(key), value: value, taken: value == ""})
}

// unquote takes the quotes off a value that is in one pair of them.
func unquote(value string) string {
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' && !strings.Contains(value[1:n-1], `"`) {
		return value[1 : n-1]
	}
	return value
}

// includeINI reads the file, or the files of a pattern, that an entry of [/includes]
// names.
func (d disk) includeINI(s *settings, e *entry) {
	name := beside(e.file, localPath(e.value))
	if !strings.ContainsAny(name, "*?[") {
		d.addFile(s, e, name, (disk).addINI)
		return
	}
	names, err := d.list(filepath.Dir(name))
	if err != nil {
		s.unread = append(s.unread, Remark{e.file, e.line, e.name(), "this directory cannot be read (" + why(err) + "); run the import where it is"})
	}
	for _, found := range names {
		if ok, _ := filepath.Match(name, found); ok {
			d.addFile(s, e, found, (disk).addINI)
		}
	}
}

// localPath is a path with the separators of this system, so that a file for
// Windows can be read elsewhere.
func localPath(name string) string {
	name = strings.TrimPrefix(name, "ini://")
	if filepath.Separator == '/' {
		return strings.ReplaceAll(name, `\`, "/")
	}
	return filepath.FromSlash(name)
}
