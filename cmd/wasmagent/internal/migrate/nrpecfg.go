package migrate

import (
	"path/filepath"
	"strings"
)

// readNRPE reads the text of an nrpe.cfg, and what it includes, in the place where
// it does.
func (d disk) readNRPE(name, text string) settings {
	var s settings
	d.addNRPE(&s, name, text)
	s.index()
	return s
}

func (d disk) addNRPE(s *settings, name, text string) {
	s.files++
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			s.unread = append(s.unread, Remark{name, number, line, "this line is not KEY=VALUE; NRPE would not have started with it"})
			continue
		}
		e := &entry{file: name, line: number, key: strings.TrimSpace(key), value: strings.TrimSpace(value)}
		s.entries = append(s.entries, e)
		d.include(s, e)
	}
}

// include reads what an entry includes, if it does.
func (d disk) include(s *settings, e *entry) {
	switch e.key {
	case "include", "include_file":
		e.taken = true
		d.addFile(s, e, beside(e.file, e.value), (disk).addNRPE)
	case "include_dir":
		e.taken = true
		names, err := d.list(beside(e.file, e.value))
		if err != nil {
			s.unread = append(s.unread, Remark{e.file, e.line, e.name(), "this directory cannot be read (" + why(err) + "); run the import where it is"})
		}
		for _, name := range names {
			if filepath.Ext(name) == ".cfg" {
				d.addFile(s, e, name, (disk).addNRPE)
			}
		}
	}
}

// beside is a path that is relative to a file.
func beside(file, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}

// addFile reads a file that an entry includes, by a reader of its format.
func (d disk) addFile(s *settings, e *entry, name string, add func(d disk, s *settings, name, text string)) {
	text, err := d.text(name)
	switch {
	case s.files >= maxFiles || len(s.entries) > maxSettings:
		s.unread = append(s.unread, Remark{e.file, e.line, e.name(), name + " is not read: there are too many files, or one that includes itself"})
	case err != nil:
		s.unread = append(s.unread, Remark{e.file, e.line, e.name(), name + " cannot be read (" + why(err) + "); run the import where it is"})
	default:
		add(d, s, name, text)
	}
}
