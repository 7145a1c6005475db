package guest

import (
	"encoding/json"
	"fmt"

	"github.com/wasmagent/wasmagent/guest/host"
)

// CPU reads /host/cpu: what the processors did lately.
func CPU() (host.CPU, error) { return fact[host.CPU]("cpu") }

// Disks reads /host/disks: what the block devices did.
func Disks() (host.Disks, error) { return fact[host.Disks]("disks") }

// Filesystems reads /host/filesystems: what is mounted and how full it is.
func Filesystems() (host.Filesystems, error) { return fact[host.Filesystems]("filesystems") }

// Load reads /host/load: how much waits to run.
func Load() (host.Load, error) { return fact[host.Load]("load") }

// Memory reads /host/memory: the physical memory.
func Memory() (host.Memory, error) { return fact[host.Memory]("memory") }

// Network reads /host/network: the network interfaces.
func Network() (host.Network, error) { return fact[host.Network]("network") }

// OS reads /host/os: the operating system.
func OS() (host.OS, error) { return fact[host.OS]("os") }

// Processes reads /host/processes: what runs.
func Processes() (host.Processes, error) { return fact[host.Processes]("processes") }

// Sensors reads /host/sensors: the temperatures.
func Sensors() (host.Sensors, error) { return fact[host.Sensors]("sensors") }

// Services reads /host/services: what the service manager looks after.
func Services() (host.Services, error) { return fact[host.Services]("services") }

// Swap reads /host/swap: the swap space.
func Swap() (host.Swap, error) { return fact[host.Swap]("swap") }

// Uptime reads /host/uptime: when the system was started.
func Uptime() (host.Uptime, error) { return fact[host.Uptime]("uptime") }

// Users reads /host/users: who is logged in.
func Users() (host.Users, error) { return fact[host.Users]("users") }

func fact[T any](name string) (T, error) { return document[T]("/host/" + name) }

// document reads a file that holds one JSON document.
func document[T any](path string) (v T, err error) {
	data, err := read(path)
	if err != nil {
		return v, err
	}
	return decode[T](path, data)
}

// decode reads the JSON document of a file. Members that the type does not know are
// those of a later agent, and are skipped.
func decode[T any](path string, document []byte) (v T, err error) {
	if err := json.Unmarshal(document, &v); err != nil {
		return v, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}
