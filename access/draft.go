package access

import (
	"fmt"
	"maps"
	"strings"

	"github.com/BurntSushi/toml"
)

// head is what a new file begins with.
const head = `# Who may ask this agent, and for what. "wasmagent user" changes this file.
# The roles full, client and monitoring are built in. One of your own:
#
#   [roles.NAME]
#   allow = ["GET /api/*/queries/**"]
#   commands = ["check_*"]
`

// A draft is the text of a file and what it says.
type draft struct {
	*Accounts
	name, text string
	exists     bool // whether there is such a file
}

// put writes a user, in the place of one of the same name.
func (d draft) put(u User) (draft, error) {
	users := maps.Clone(d.users)
	users[u.Name] = u
	if err := checkName(u.Name); err != nil {
		return draft{}, err
	}
	if _, exists := d.users[u.Name]; !exists {
		text := strings.TrimRight(d.text, "\n")
		if text != "" {
			text += "\n\n"
		}
		return d.with(text+u.text(), users)
	}
	from, to := d.section(u.Name)
	if from == to {
		return draft{}, errByHand
	}
	return d.with(d.text[:from]+u.text()+d.text[to:], users)
}

// remove takes a user out, with the empty lines before it.
func (d draft) remove(name string) (draft, error) {
	if _, exists := d.users[name]; !exists {
		return draft{}, fmt.Errorf("there is no user %q in %s", name, d.name)
	}
	users := maps.Clone(d.users)
	delete(users, name)
	from, to := d.section(name)
	if from == to {
		return draft{}, errByHand
	}
	before := strings.TrimRight(d.text[:from], "\n")
	if before != "" {
		before += "\n"
	}
	return d.with(before+d.text[to:], users)
}

// section finds the table of a user: from its header up to its last key. It is
// empty if the user has no table, or if what looks like one is something else.
func (d draft) section(name string) (from, to int) {
	at, inside := 0, false
	for line := range strings.Lines(d.text) {
		at += len(line)
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "[") && !inside && isHeader(trimmed, name):
			from, to, inside = at-len(line), at, true
		case strings.HasPrefix(trimmed, "[") && inside:
			return from, to
		case inside && trimmed != "" && trimmed[0] != '#':
			to = at
		}
	}
	return from, to
}

// isHeader tells whether a line is the header of a user's table.
func isHeader(line, name string) bool {
	var document map[string]map[string]map[string]any
	if _, err := toml.Decode(line, &document); err != nil {
		return false
	}
	_, ok := document["users"][name]
	return ok
}

// text is a user as a table.
func (u User) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[users.%s]\n", quote(u.Name))
	if u.Password != (Hash{}) {
		fmt.Fprintf(&b, "password = %s\n", quote(u.Password.String()))
	}
	if len(u.Tokens) > 0 {
		fmt.Fprintf(&b, "tokens = %s\n", list(u.Tokens, Digest.String))
	}
	if u.Certificate != "" {
		fmt.Fprintf(&b, "certificate = %s\n", quote(u.Certificate))
	}
	fmt.Fprintf(&b, "roles = %s\n", list(u.Roles, func(role string) string { return role }))
	return b.String()
}

func list[T any](items []T, text func(T) string) string {
	var quoted []string
	for _, item := range items {
		quoted = append(quoted, quote(text(item)))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// quote writes a text that prints as one of TOML.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
