//go:build !windows

package builtin

import "context"

// openCounter opens a counter of this machine.
func openCounter(ctx context.Context, m machine, path counterPath) (probe, error) {
	return openComputed(ctx, m, path)
}
