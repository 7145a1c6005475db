package main

import (
	"cmp"
	"context"
	"fmt"
	goruntime "runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the versions of the agent, of Go and of the engine",
		Args:  cobra.NoArgs,
		RunE: do(func(context.Context, []string) error {
			_, err := fmt.Fprintf(a.stdout, "wasmagent %s\n%s %s/%s\nwazero %s\n",
				version(), goruntime.Version(), goruntime.GOOS, goruntime.GOARCH, dependency("github.com/tetratelabs/wazero"))
			return err
		}),
	}
}

// release is the version of a release, which the linker sets in packages.
var release string

// version is that of the release, else of the agent's Go module: "(devel)" in a
// clone.
func version() string {
	if info, _ := debug.ReadBuildInfo(); info != nil {
		return cmp.Or(release, info.Main.Version, "(devel)")
	}
	return cmp.Or(release, "(devel)")
}

// dependency is the version of a Go module that the agent is built with.
func dependency(path string) string {
	info, _ := debug.ReadBuildInfo()
	if info != nil {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "(unknown)"
}
