package report

import (
	"fmt"
	"os"
	"strings"
)

// Replace puts a section, which begins with its heading, into a file in place of the
// one that has this heading.
func Replace(file, section string) error {
	document, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text, err := replaced(string(document), section)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// replaced is a document with another section under the section's heading.
func replaced(document, section string) (string, error) {
	heading, _, _ := strings.Cut(section, "\n")
	before, rest, found := strings.Cut("\n"+document, "\n"+heading+"\n")
	if !found {
		return "", fmt.Errorf("there is no line %q", heading)
	}
	after := ""
	if i := strings.Index(rest, "\n## "); i >= 0 {
		after = rest[i:]
	}
	return strings.TrimPrefix(before+"\n", "\n") + section + after, nil
}
