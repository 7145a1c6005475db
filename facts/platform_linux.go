package facts

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/shirou/gopsutil/v4/common"
	"github.com/shirou/gopsutil/v4/host"
)

// families are the values of ID that others name in ID_LIKE.
var families = []string{"alpine", "arch", "debian", "fedora", "gentoo", "rhel", "slackware", "suse"}

// platform reads os-release, which every distribution of today has:
// https://www.freedesktop.org/software/systemd/man/latest/os-release.html
// gopsutil, for the others, runs lsb_release, which is slow.
func platform(ctx context.Context) (name, family, version string) {
	env, _ := ctx.Value(common.EnvKey).(common.EnvMap)
	etc := cmp.Or(env[common.HostEtcEnvKey], os.Getenv(string(common.HostEtcEnvKey)), "/etc")
	text, err := os.ReadFile(path.Join(etc, "os-release"))
	if err != nil {
		name, family, version, _ = host.PlatformInformationWithContext(ctx)
		return name, family, version
	}
	release := assignments(text)
	name, version = release["ID"], release["VERSION_ID"]
	for _, like := range strings.Fields(name + " " + release["ID_LIKE"]) {
		if slices.Contains(families, like) {
			family = like
			break
		}
	}
	// Debian's point release is nowhere else; before a release it is a name.
	if point, err := os.ReadFile(path.Join(etc, "debian_version")); err == nil && name == "debian" && version != "" {
		version = strings.TrimSpace(string(point))
	}
	return name, family, version
}

// assignments reads lines of KEY=VALUE with the value perhaps in quotes.
func assignments(text []byte) map[string]string {
	m := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if key, value, ok := strings.Cut(strings.TrimSpace(lines.Text()), "="); ok && !strings.HasPrefix(key, "#") {
			m[key] = strings.Trim(value, `"'`)
		}
	}
	return m
}
