//go:build !windows

package daemon

import (
	"context"
	"io"
)

// Run runs the agent, until ctx ends or it is told to stop as a service.
func Run(ctx context.Context, agent func(context.Context) error) error { return agent(ctx) }

// Log is where messages are written: to this Writer, or to the system's log if a
// service has no standard error.
func Log(stderr io.Writer) io.Writer { return stderr }
