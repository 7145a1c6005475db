package facts

import (
	"context"
	"path"
	"strings"
)

// rc asks service(8) of FreeBSD for the scripts that start with the system. What
// they are doing is not asked: each script would have to be run.
func rc(ctx context.Context) (Services, error) {
	out, err := output(ctx, "service", "-e")
	if err != nil {
		return Services{}, err
	}
	return Services{"rc", parseScripts(out)}, nil
}

// parseScripts reads one path a line.
func parseScripts(text string) []Service {
	var list []Service
	for line := range strings.Lines(text) {
		if script := strings.TrimSpace(line); script != "" {
			list = append(list, Service{Name: path.Base(script), Start: StartAutomatic, Detail: script})
		}
	}
	return list
}
