package guest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/wasmagent/wasmagent/check"
)

// Command runs another command of the agent, /command/NAME, and returns its
// answer. A module may call its own commands and those of the modules that it
// requires; any other needs the permission. No argument may hold a line end.
//
// An error means that there is no answer; that the command could not be run is
// an answer, UNKNOWN. The whole program waits for it.
func Command(name string, args ...string) (check.Result, error) {
	path := "/command/" + name
	for _, arg := range args {
		if strings.ContainsAny(arg, "\r\n") {
			return check.Result{}, fmt.Errorf("%s: the argument %.40q holds a line end", path, arg)
		}
	}
	answer, err := ask(path, args)
	if err != nil {
		return check.Result{}, Explain(path, err)
	}
	return decode[check.Result](path+": the answer", answer)
}

// ask writes the arguments, one a line, and reads the answer.
func ask(path string, args []string) (answer []byte, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, arg := range args {
		if _, err := io.WriteString(f, arg+"\n"); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(f)
}
