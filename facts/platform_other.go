//go:build !linux

package facts

import (
	"context"

	"github.com/shirou/gopsutil/v4/host"
)

func platform(ctx context.Context) (name, family, version string) {
	name, family, version, _ = host.PlatformInformationWithContext(ctx)
	return name, family, version
}
