package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"

	"github.com/wasmagent/wasmagent/access"
)

// Variable is the environment variable that names the file.
const Variable = "WASMAGENT_CONFIG"

// local is the file that is looked for in the working directory.
const local = "config.toml"

// System is the file of the whole machine.
func System() string {
	if goruntime.GOOS == "windows" {
		return filepath.Join(os.Getenv("ProgramData"), "wasmagent", "config.toml")
	}
	return "/etc/wasmagent/config.toml"
}

// Find returns the file to read: the one that is named, else the one that the
// environment variable names, else config.toml in the working directory, else
// System; empty if there is none. A file that is found rather than named must
// belong to this user or to root.
func Find(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	if name := os.Getenv(Variable); name != "" {
		return name, nil
	}
	for _, name := range []string{local, System()} {
		err := checkOwner(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return name, err
	}
	return "", nil
}

// defaults are what holds where the file says nothing.
func defaults() Config {
	listener := Listener{TLS: true, AllowedHosts: localhost()}
	return Config{
		Directories: Directories{Modules: "modules", Cache: cacheDir(), Data: dataDir()},
		Audit:       Audit{Path: auditFile()},
		NRPE:        NRPE{Listener: listener, Commands: access.Commands{"*"}},
		REST:        REST{listener},
		Prometheus:  Prometheus{Listener: listener},
	}
}

// given is the directory that a service manager has made for a service, in the
// manner of systemd, in a variable of the environment; empty if there is none.
// https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html
func given(variable string) string {
	dir, _, _ := strings.Cut(os.Getenv(variable), ":")
	if goruntime.GOOS == "windows" || !filepath.IsAbs(dir) {
		return ""
	}
	return dir
}

// cacheDir is in the user's cache directory; root without a home, as in a
// service, has the machine's, and another user without one has none.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	switch given := given("CACHE_DIRECTORY"); {
	case given != "":
		return given
	case err == nil:
		return filepath.Join(dir, "wasmagent")
	case os.Geteuid() == 0:
		return "/var/cache/wasmagent"
	}
	return ""
}

// auditFile is where the audit log is by default: among the machine's logs for who
// administers it, else among the user's.
func auditFile() string { return kept("LOGS_DIRECTORY", "/var/log", "Logs", "audit.log") }

// dataDir is where the agent's own files are kept by default, likewise.
func dataDir() string { return kept("STATE_DIRECTORY", "/var/lib", "Application Support", "") }

// kept is a name for what must not be lost: where the service manager says in a
// variable, else where the user's environment says, in a directory of the machine
// for who administers it, else in the user's, which macOS has in a library. It is
// empty for a user without a home.
func kept(variable, machine, library, name string) string {
	if dir := given(variable); dir != "" {
		return filepath.Join(dir, name)
	}
	dir := os.Getenv("XDG_STATE_HOME")
	switch home, err := os.UserHomeDir(); {
	case goruntime.GOOS == "windows":
		dir = os.Getenv(map[bool]string{true: "ProgramData", false: "LocalAppData"}[administers()])
	case filepath.IsAbs(dir):
	case administers():
		dir = machine
	case err != nil:
		return ""
	case goruntime.GOOS == "darwin":
		dir = filepath.Join(home, "Library", library)
	default:
		dir = filepath.Join(home, ".local", "state")
	}
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "wasmagent", name)
}
