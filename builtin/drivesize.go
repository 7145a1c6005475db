package builtin

import (
	"context"
	"fmt"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/facts"
)

func (s *System) checkDrivesize() *command {
	return &command{
		name:    "check_drivesize",
		summary: "the space in use on file systems",
		options: append([]option{
			{name: "drive", aliases: []string{"path", "d"}, value: "NAME", preset: "*", repeats: true, parse: asPattern,
				help: "a mount point, device or drive letter; * and ? stand for others"},
			{name: "exclude", aliases: []string{"x"}, value: "NAME", repeats: true, parse: asPattern,
				help: "leave these out, by mount point, device or type"},
		}, thresholds(bytes.shareOf("the file system"), "80%", "90%")...),
		about: []string{
			"The value is the space used on each file system. A threshold is in bytes (500GB) or in percent (80%) of\n" +
				"what users can have, as df counts it; a percentage also holds for the number of files (inodes), where the\n" +
				"file system limits it.",
			"A name with * leaves out what is read-only or empty. Where there are no drive letters C: is the root, /.",
			"Performance data for each file system: NAME used with the thresholds, in bytes; NAME used % in percent;\n" +
				"NAME inodes, the number of files.",
		},
		example: []string{"drive=/ drive=/var/* warn=75% crit=20GB", "drive=* exclude=tmpfs"},
		run:     s.runDrivesize,
	}
}

func (s *System) runDrivesize(ctx context.Context, args arguments) (check.Result, error) {
	all, err := s.machine.filesystems(ctx)
	if err != nil {
		return check.Result{}, err
	}
	exclude := every[pattern](args, "exclude")
	chosen, err := menu[facts.Filesystem]{
		kind: "file system",
		all:  all.Filesystems,
		name: func(fs facts.Filesystem) string { return fs.MountPoint },
		takes: func(p pattern, fs facts.Filesystem) bool {
			return driveMatches(p, fs) && (!p.wild() || worthAlarm(fs)) && !matchAny(exclude, append(driveNames(fs), fs.Type)...)
		},
	}.choose(every[pattern](args, "drive"))
	if err != nil {
		return check.Result{}, err
	}
	r := newReport()
	for _, fs := range chosen {
		r.filesystem(fs, args)
	}
	return r.result(""), nil
}

// driveNames is what a file system may be called; C: is also the root's name.
func driveNames(fs facts.Filesystem) []string {
	if fs.MountPoint == "/" {
		return []string{"/", fs.Device, "C:"}
	}
	return []string{fs.MountPoint, fs.Device}
}

func driveMatches(p pattern, fs facts.Filesystem) bool {
	trimmed := p
	if len(p) > 1 {
		trimmed = pattern(strings.TrimRight(string(p), `\/`))
	}
	return matchAny([]pattern{p, trimmed}, driveNames(fs)...)
}

// worthAlarm leaves out what cannot fill up: read-only images are always full.
func worthAlarm(fs facts.Filesystem) bool {
	return !fs.ReadOnly && (fs.Usage == nil || fs.Usage.TotalBytes > 0)
}

// filesystem judges one file system.
func (r *report) filesystem(fs facts.Filesystem, args arguments) {
	if fs.Usage == nil {
		r.found(check.StateUnknown, fs.MountPoint+": "+fs.Error)
		return
	}
	u := *fs.Usage
	r.volume(volume{fs.MountPoint, float64(u.UsedBytes), float64(u.TotalBytes), float64(u.UsedBytes + u.AvailableBytes)}, fs.MountPoint+" used", args)
	if u.Inodes != nil {
		r.inodes(fs.MountPoint, *u.Inodes, one[threshold](args, "warn"), one[threshold](args, "crit"))
	}
}

// inodes judges the number of files by thresholds that are shares.
func (r *report) inodes(name string, in facts.Inodes, warn, crit threshold) {
	p := check.Perf{Label: name + " inodes", Value: float64(in.Used), Min: new(0.0), Max: new(float64(in.Total))}
	if warn.share {
		p.Warn = whole(warn.of(float64(in.Total)))
	}
	if crit.share {
		p.Crit = whole(crit.of(float64(in.Total)))
	}
	if s := judge(p.Value, p.Warn, p.Crit); s != check.StateOK {
		r.found(s, fmt.Sprintf("%s %s of its files used (%d of %d inodes)", name, humanPercent(100*in.UsedRatio), in.Used, in.Total))
	}
	r.data(p)
}
