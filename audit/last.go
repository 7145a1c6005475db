package audit

import (
	"bufio"
	"encoding/json"
	"os"
)

// maxLine is more than the longest line of a log in bytes.
const maxLine = 1 << 20

// Last returns the last line of a file for which is holds, if there is one. What
// is no line of a log is passed over. Files that were set aside are not read.
func Last(file string, is func(Line) bool) (last Line, found bool, err error) {
	f, err := os.Open(file)
	if err != nil {
		return Line{}, false, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var line Line
		if json.Unmarshal(lines.Bytes(), &line) == nil && is(line) {
			last, found = line, true
		}
	}
	return last, found, lines.Err()
}
