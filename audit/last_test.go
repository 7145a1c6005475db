package audit_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/wasmagent/wasmagent/audit"
)

func TestLast(t *testing.T) {
	t.Parallel()
	l, file := newLog(t)
	web := func(line audit.Line) bool { return line.Module == "web" }
	if _, found, err := audit.Last(file, web); found || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no file: %v, %v", found, err)
	}
	for _, version := range []string{"1", "2"} {
		l.Write(audit.Line{Event: audit.Restricted, Module: "web", Version: version})
		l.Write(audit.Line{Event: audit.Restricted, Module: "other", Version: "3"})
		f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("{\"module\":\"web\n\n"); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if last, found, err := audit.Last(file, web); !found || err != nil || last.Version != "2" {
		t.Errorf("the last line is %+v, %v, %v", last, found, err)
	}
	if _, found, err := audit.Last(file, func(l audit.Line) bool { return l.Version == "4" }); found || err != nil {
		t.Errorf("of no such line: %v, %v", found, err)
	}
}
