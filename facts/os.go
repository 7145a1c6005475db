package facts

import (
	"context"
	"os"
	goruntime "runtime"

	"github.com/shirou/gopsutil/v4/host"
)

// OS is the operating system, and the machine as the operating system knows it.
type OS struct {
	// Name is the kind of system: "linux", "windows", "darwin", "freebsd".
	Name string `json:"name"`
	// Platform is the distribution or edition, such as "debian" or "Microsoft Windows Server 2022 Standard".
	Platform string `json:"platform,omitempty"`
	// Family is the group that the platform belongs to, such as "debian", "rhel" or "Server".
	Family string `json:"family,omitempty"`
	// Version is the platform's version, such as "12.5" or "23H2".
	Version string `json:"version,omitempty"`
	// KernelVersion is the kernel's version, such as "6.1.0-18-amd64".
	KernelVersion string `json:"kernel_version,omitempty"`
	// Architecture is the kernel's processor architecture in Go's words, such as "amd64", "arm64" or "386".
	Architecture string `json:"architecture,omitempty"`
	// Hostname is the machine's own name.
	Hostname string `json:"hostname,omitempty"`
	// Virtualization is the virtual machine or container system found, such as "kvm" or "docker".
	Virtualization string `json:"virtualization,omitempty"`
	// VirtualizationRole is "guest" inside of it and "host" beneath it.
	VirtualizationRole string `json:"virtualization_role,omitempty"`
}

func readOS(ctx context.Context) (OS, error) {
	o := OS{Name: goruntime.GOOS}
	o.Hostname, _ = os.Hostname()
	o.Platform, o.Family, o.Version = platform(ctx)
	o.KernelVersion, _ = host.KernelVersionWithContext(ctx)
	o.Virtualization, o.VirtualizationRole, _ = host.VirtualizationWithContext(ctx)
	machine, _ := host.KernelArch()
	o.Architecture = architecture(machine)
	return o, ctx.Err()
}

// architecture is Go's word for what uname calls the machine; an unknown one
// stays as it is.
func architecture(machine string) string {
	switch machine {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	case "i386", "i486", "i586", "i686":
		return "386"
	}
	return machine
}
