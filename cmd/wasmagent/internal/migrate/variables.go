package migrate

import (
	"path"
	"strings"

	"github.com/wasmagent/wasmagent/internal/lazyregexp"
)

// Variables replace ${NAME} in the values of an nsclient.ini: by what [/paths]
// says, by the value of another key, /SECTION/KEY, or by a place beside the file.
type variables struct {
	*settings
	dir string // of the file
}

// maxDepth is how often a variable may stand for another one, and maxValue how
// long a value may become.
const (
	maxDepth = 8
	maxValue = 64 << 10
)

var variable = lazyregexp.New(`\$\{([^${}]+)\}`)

func (v variables) replace() {
	for range maxDepth {
		changed := false
		for _, e := range v.entries {
			if value := variable().ReplaceAllStringFunc(e.value, v.meaning); value != e.value && len(value) <= maxValue {
				e.value, changed = value, true
			}
		}
		if !changed {
			break
		}
	}
	v.drop("/paths")
}

// meaning is what ${NAME} stands for; itself if that is not known.
func (v variables) meaning(written string) string {
	name := variable().FindStringSubmatch(written)[1]
	section, key := "/paths", name
	if strings.HasPrefix(name, "/") {
		section, key = path.Split(name)
	}
	for _, e := range v.in(section) {
		if fold(e.key) == fold(key) && e.value != "" && !strings.Contains(e.value, written) {
			return e.value
		}
	}
	switch fold(name) {
	case "exe-path", "shared-path", "base-path", "module-parent":
		return v.dir
	case "scripts":
		return "${shared-path}/scripts"
	case "certificate-path":
		return "${shared-path}/security"
	case "module-path":
		return "${shared-path}/modules"
	}
	return written
}
