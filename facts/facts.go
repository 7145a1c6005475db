// Package facts reads facts about the machine, the same on every operating
// system: sizes in bytes, times in seconds, shares as fractions of 1,
// temperatures in degrees Celsius. A point in time is in seconds since
// 1970-01-01 UTC. A member's name ends in its unit: _bytes, _seconds, _ratio,
// _celsius; a number without one counts things.
//
// Each fact is a Go type for built-in checks and, under the same name, a JSON
// document for scripts, which find it at /host/NAME. The documents' schema is
// docs/host.schema.json, generated from the types.
//
// One rule says what happens to a figure that an operating system, a container
// or the agent's rights do not give: it is absent. In Go that is a nil pointer
// or an empty string; in JSON the member is left out, never null. A number that
// is there was measured. Lists are always there, perhaps empty, and sorted. A
// fact that cannot be read at all is an error.
//
// The package only reads, but for what importing gopsutil does where an
// administrator of Windows runs it: it switches the disks' counters on in the
// registry (EnableCounterForIoctl) and takes the privilege to look at other
// users' processes. No privileges are needed; with more of them, more members
// are there.
//
// Every reading ends soon after its context does, also while a file server or a
// driver hangs; there is at most one reading of each fact, and one probe of
// each mount point, under way. On Linux gopsutil's HOST_PROC, HOST_SYS, HOST_ETC,
// HOST_VAR and HOST_RUN name other directories to read.
//
// A Source is safe for concurrent use.
package facts
