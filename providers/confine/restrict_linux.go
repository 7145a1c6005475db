package confine

import (
	"fmt"
	"math"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// self is this very program, even if another one was put in its place.
func self() (string, error) { return "/proc/self/exe", nil }

// Keeps are the capabilities that a process may keep if the agent has them: to
// read every file, and to send what is no TCP or UDP, as ping does. Others, such
// as loading kernel modules, making devices or changing user, would undo the
// confinement.
func Keeps() []int { return []int{unix.CAP_DAC_READ_SEARCH, unix.CAP_NET_RAW} }

// restrict applies what Linux alone has.
func restrict() error {
	// What some library opened without close-on-exec; kernels before 5.11 lack it.
	_ = unix.CloseRange(report, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("setting no_new_privs: %w", err)
	}
	if err := landlocked(abi()); err != nil {
		return fmt.Errorf("restricting it with Landlock: %w", err)
	}
	return dropCapabilities()
}

// dropCapabilities gives up all capabilities but those of Keeps, which with
// no_new_privs even a program that root executes does not get back.
func dropCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return fmt.Errorf("reading capabilities: %w", err)
	}
	var kept [2]uint32
	for _, capability := range Keeps() {
		kept[capability/32] |= 1 << (capability % 32)
	}
	for i := range sets {
		sets[i].Effective &= kept[i]
		sets[i].Permitted &= kept[i]
		sets[i].Inheritable &= kept[i]
	}
	if err := unix.Capset(&header, &sets[0]); err != nil {
		return fmt.Errorf("dropping capabilities: %w", err)
	}
	return nil
}

// The versions of Landlock that add to the confinement.
const (
	hasTruncate = 3
	hasIoctl    = 5
	hasScopes   = 6
)

// abi is the version of Landlock that the kernel has; zero is none.
func abi() int {
	version, err := ll.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return max(0, version)
}

// What a process may do with files, where the kernel can tell it apart.
const (
	reading landlock.AccessFSSet = ll.AccessFSExecute | ll.AccessFSReadFile | ll.AccessFSReadDir
	writing landlock.AccessFSSet = ll.AccessFSWriteFile | ll.AccessFSTruncate
	// no device can be made, nor told by ioctl what to do
	devices landlock.AccessFSSet = ll.AccessFSMakeChar | ll.AccessFSMakeBlock | ll.AccessFSIoctlDev
)

// landlocked lets this process read everything, write below its working
// directory, and reach no process outside. The network is left alone.
func landlocked(version int) error {
	if version == 0 {
		return nil
	}
	known := []landlock.Config{landlock.V1, landlock.V2, landlock.V3, landlock.V4, landlock.V5, landlock.V6}
	c := known[min(version, len(known))-1]
	c.HandledAccessNet = 0
	return c.Restrict(
		landlock.PathAccess(reading, "/"),
		landlock.PathAccess(c.HandledAccessFS&^devices, "."),
		landlock.PathAccess(c.HandledAccessFS&writing, "/dev/null", "/dev/zero", "/dev/full").IgnoreIfMissing(),
	)
}

// Missing says for people what of the confinement is not there.
func (c *Cage) Missing() []string {
	list := append(missing(abi()), c.missingUser()...)
	if c.shim != nil {
		list = append(list, c.shim.sessions.missing()...)
	}
	return list
}

// missing says what a version of Landlock lacks.
func missing(version int) []string {
	if version == 0 {
		return []string{"files, signals and abstract sockets: the kernel has no Landlock, so they write wherever their user can"}
	}
	var list []string
	for _, part := range []struct {
		what  string
		since int
	}{
		{"the truncation of files", hasTruncate},
		{"the ioctls of devices", hasIoctl},
		{"signals and abstract sockets", hasScopes},
	} {
		if version < part.since {
			list = append(list, fmt.Sprintf("%s: the kernel has version %d of Landlock, and they need %d", part.what, version, part.since))
		}
	}
	return list
}
