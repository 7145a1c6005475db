// Command packaging builds what is released of wasmagent: static binaries in archives
// for each system, packages for Linux (deb, rpm, apk), root file systems of containers,
// and their SHA-256.
//
//	go run -C packaging . --version 1.2.3 --out dist
//
// The same source, version and Go make the same bytes on every machine. The time of
// all files is SOURCE_DATE_EPOCH, in seconds since 1970, else that of the last
// commit.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "packaging:", err)
		stop()
		os.Exit(1)
	}
}

// A release is what is built, of what.
type release struct {
	version string
	source  string // the project's directory
	out     string // the directory that what is built is put into
	time    time.Time
}

// A target is a system that the agent is built for.
type target struct{ system, arch string }

func (t target) String() string { return t.system + "/" + t.arch }

// targets are all of them.
func targets() []target {
	return []target{{"linux", "amd64"}, {"linux", "arm64"}, {"windows", "amd64"}, {"darwin", "arm64"}, {"freebsd", "amd64"}}
}

// semver is a version as https://semver.org has it, for which there is an order in
// each format of packages.
var semver = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.]+)?$`)

// run builds what a command line asks for and prints the files.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("packaging", flag.ContinueOnError)
	version := flags.String("version", "", "the `VERSION` that is released, such as 1.2.3")
	out := flags.String("out", "dist", "the `DIRECTORY` that everything is put into, which is made")
	source := flags.String("source", "..", "the `DIRECTORY` of the project")
	only := flags.String("only", "", "build for these `TARGETS` only, such as linux/amd64,linux/arm64")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if !semver.MatchString(*version) {
		return fmt.Errorf("--version %q: want a version such as 1.2.3 or 1.2.3-rc.1", *version)
	}
	list, err := chosen(*only)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(*out)
	if err != nil {
		return err
	}
	r := release{version: *version, source: *source, out: dir}
	if r.time, err = sourceTime(ctx, r.source); err != nil {
		return err
	}
	files, err := r.build(ctx, list)
	if err != nil {
		return err
	}
	for _, file := range files {
		fmt.Fprintln(stdout, filepath.Join(*out, file))
	}
	return nil
}

// chosen are the targets that a list names, and all if it names none.
func chosen(list string) (found []target, err error) {
	if list == "" {
		return targets(), nil
	}
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(targets(), func(t target) bool { return t.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("--only %s: is none of %v", name, targets())
		}
		found = append(found, targets()[i])
	}
	return found, nil
}

// sourceTime is the time that all files get.
// https://reproducible-builds.org/specs/source-date-epoch/
func sourceTime(ctx context.Context, source string) (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		out, err := exec.CommandContext(ctx, "git", "-C", source, "log", "-1", "--format=%ct").Output()
		if err != nil {
			return time.Time{}, fmt.Errorf("the time of the last commit: %w; set SOURCE_DATE_EPOCH", err)
		}
		text = strings.TrimSpace(string(out))
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH %q: want seconds since 1970", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// build builds everything for some targets and returns the names of the files. What
// it cannot finish it removes, if it made the directory.
func (r release) build(ctx context.Context, list []target) (files []string, err error) {
	if err := os.Mkdir(r.out, 0o755); err != nil {
		if errors.Is(err, os.ErrExist) {
			err = fmt.Errorf("%s is there already; remove it, or name another directory with --out", r.out)
		}
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(r.out))
		}
	}()
	work, err := os.MkdirTemp("", "packaging")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	completions, err := r.completions(ctx, work)
	if err != nil {
		return nil, err
	}
	for _, t := range list {
		made, err := r.forTarget(ctx, t, work, completions)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t, err)
		}
		files = append(files, made...)
	}
	return append(files, sums), r.sum(files)
}

// forTarget builds all that there is for a target.
func (r release) forTarget(ctx context.Context, t target, work string, completions []file) (made []string, err error) {
	agent, err := r.compile(ctx, t, filepath.Join(work, t.system+"-"+t.arch))
	if err != nil {
		return nil, err
	}
	archive, err := r.archive(t, agent)
	if err != nil || t.system != "linux" {
		return []string{archive}, err
	}
	root, err := r.container(t, agent)
	if err != nil {
		return nil, err
	}
	packages, err := r.packages(t, agent, completions)
	return append([]string{archive, root}, packages...), err
}
