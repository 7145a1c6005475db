package facts

// OS is the operating system, and the machine as the operating system knows it.
type OS struct {
	// Name is the kind of system: "linux", "windows", "darwin", "freebsd".
	Name string `json:"name"`
	// Platform is the distribution or edition, such as "debian" or "Microsoft Windows Server 2022 Standard".
	Platform string `json:"platform,omitempty"`
	// Family is the group that the platform belongs to, such as "debian", "rhel" or "Server".
	Family string `json:"family,omitempty"`
	// Version is the platform's version, such as "12.5".
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
