package facts

import (
	"context"
	"os"
	"strconv"
	"strings"
)

// systemd asks systemctl, whose "show" prints the same in every version:
// properties as KEY=VALUE, units separated by empty lines.
// https://www.freedesktop.org/software/systemd/man/latest/systemctl.html
func systemd(ctx context.Context) (Services, error) {
	// This directory is how sd_booted(3) tells that systemd runs.
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return Services{}, nil
	}
	out, err := output(ctx, "systemctl", "show", "--all", "--no-pager",
		"--property=Id,Description,LoadState,ActiveState,SubState,UnitFileState,MainPID", "--", "*.service")
	if err != nil {
		return Services{}, err
	}
	return Services{"systemd", parseUnits(out)}, nil
}

func parseUnits(text string) []Service {
	var list []Service
	for block := range strings.SplitSeq(text, "\n\n") {
		unit := properties(block)
		if unit["Id"] != "" && unit["LoadState"] != "not-found" {
			list = append(list, newUnit(unit))
		}
	}
	return list
}

func properties(block string) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(block) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			m[key] = value
		}
	}
	return m
}

func newUnit(unit map[string]string) Service {
	pid, err := strconv.ParseInt(unit["MainPID"], 10, 32)
	return Service{
		Name:        unit["Id"],
		Description: unit["Description"],
		State:       unitState(unit["ActiveState"], unit["SubState"]),
		Start:       unitStart(unit["LoadState"], unit["UnitFileState"]),
		Detail:      unit["ActiveState"] + " (" + unit["SubState"] + ")",
		PID:         given(err == nil && pid > 0, int32(pid)),
	}
}

func unitState(active, sub string) ServiceState {
	switch {
	case active == "active" && sub == "exited":
		return ServiceExited
	case active == "active":
		return ServiceRunning
	case active == "activating", active == "reloading", active == "refreshing":
		return ServiceStarting
	case active == "deactivating":
		return ServiceStopping
	case active == "failed":
		return ServiceFailed
	case active == "inactive":
		return ServiceStopped
	}
	return ""
}

func unitStart(load, file string) ServiceStart {
	switch {
	case load == "masked", strings.HasPrefix(file, "masked"):
		return StartDisabled
	case strings.HasPrefix(file, "enabled"):
		return StartAutomatic
	}
	return StartManual
}
