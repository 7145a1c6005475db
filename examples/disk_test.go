package examples_test

import (
	"context"
	"encoding/json"
	"fmt"
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/facts"
	"github.com/wasmagent/wasmagent/guest/host"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
)

// disks is a machine with file systems of every kind: half full, almost full, without
// inodes, and one that does not answer.
const disks = `{"filesystems": [
	{"mount_point": "/", "device": "/dev/sda1", "type": "ext4", "options": [], "read_only": false, "usage": {"total_bytes": 107374182400,
		"used_bytes": 50465865728, "free_bytes": 56908316672, "available_bytes": 51539607552, "used_ratio": 0.4947, "inodes": {"total": 1000, "used": 100, "free": 900, "used_ratio": 0.1}}},
	{"mount_point": "/data", "device": "/dev/sdb1", "type": "xfs", "options": [], "read_only": false, "usage": {"total_bytes": 10737418240,
		"used_bytes": 10630044057, "free_bytes": 107374183, "available_bytes": 107374183, "used_ratio": 0.99, "inodes": {"total": 1000, "used": 10, "free": 990, "used_ratio": 0.01}}},
	{"mount_point": "/data/win", "device": "//nas/win", "type": "cifs", "options": [], "read_only": false, "usage": {"total_bytes": 1048576000,
		"used_bytes": 104857600, "free_bytes": 943718400, "available_bytes": 943718400, "used_ratio": 0.1}},
	{"mount_point": "/nfs", "device": "nas:/export", "type": "nfs4", "options": [], "read_only": false, "error": "no answer within 2s"}]}`

var diskLines = []line{
	{"check_disk -w 10% -c 5% -p /", 0, "DISK OK: free space: / 49152MiB (50% inode=90%);|/=50465865728B;96636764160;102005473280;0;107374182400", ""},
	{"check_disk -w 50% -c 5% -p /", 1, "DISK WARNING", ""},
	{"check_disk -w 49% -c 5% -p /", 0, "", ""},
	{"check_disk -w 60% -c 50% -p /", 2, "DISK CRITICAL", ""},
	{"check_disk -w 49152 -p /", 1, "/=50465865728B;55834574848;;0;107374182400", ""},
	{"check_disk -w 49151 -p /", 0, "", ""},
	{"check_disk -c 48 -u GB -p /", 2, "/ 48GiB", ""},
	{"check_disk -c 47 -u GiB -p /", 0, "/ 48GiB", ""},
	{"check_disk -c 50331648 -k -p /", 2, "KiB", ""},
	{"check_disk -c 51539607551 -u bytes -p /", 0, "/ 51539607552B", ""},
	{"check_disk -c 1 -u TB -p /", 2, "/ 0TiB", ""},
	{"check_disk -W 90% -p /", 1, "", ""},
	{"check_disk -K 90 -p /", 2, "", ""},
	{"check_disk -W 89 -K 10% -p /", 0, "", ""},
	// which file system
	{"check_disk -w 10% -p /data", 1, "/data 102MiB (1% inode=99%)", ""},
	{"check_disk -w 10% -p /dev/sdb1", 1, "/data 102MiB", ""},
	{"check_disk -w 10% -p /data/a/b", 1, "/data 102MiB", ""},
	{"check_disk -w 10% -p /data/win/x", 0, "/data/win 900MiB (90%);", ""},
	{"check_disk -w 10% -p /database", 0, "/ 49152MiB", ""},
	{"check_disk -w 10% -E -p /data/a", 2, "/data/a not found", ""},
	{"check_disk -w 10% -E -p /data", 1, "", ""},
	{"check_disk -w 10% -M -p /data", 1, "/dev/sdb1 102MiB", ""},
	{"check_disk -w 10% -p / -p /data/win", 0, "/ 49152MiB (50% inode=90%); /data/win 900MiB", ""},
	{"check_disk -w 99% -p / -w 1% -p /data/win", 1, "", ""},
	{"check_disk -w 1% -p /data/win -w 99% -p /data/win", 0, "", ""},
	{"check_disk -w 10%", 2, "/nfs: no answer within 2s", ""},
	{"check_disk -w 10% -x /nfs", 1, "/data 102MiB", ""},
	{"check_disk -w 10% -x nas:/export -X xfs -A", 0, "/data/win", ""},
	{"check_disk -w 10% -N ext4 -N cifs -e", 0, "DISK OK: free space:|/=50465865728B", ""},
	{"check_disk -w 10% -N ext4 -N xfs -e", 1, "DISK WARNING: free space: /data 102MiB (1% inode=99%);|/=", ""},
	{"check_disk -w 10% -N zfs", 3, "no file system is selected", ""},
	// mistakes
	{"check_disk", 3, "how much has to be free?", ""},
	{"check_disk -p / -w 10%", 3, "how much has to be free?", ""},
	{"check_disk -w x", 3, `-w: "x" is no amount`, ""},
	{"check_disk -w -5", 3, `-w: "-5" is no amount`, ""},
	{"check_disk -w 5 -u x", 3, `-u: "x" is no unit`, ""},
	{"check_disk -w 5 /", 3, `unexpected "/"`, ""},
}

// TestDisk asks check_disk, which is in Rust, about a machine.
func TestDisk(t *testing.T) {
	t.Parallel()
	p := crafted(t, everything(t, newAuthority(t)), providers.Config{Facts: map[string]runtime.Document{"filesystems": document([]byte(disks))}})
	suite(t, diskLines, nil, p, asked, true)
}

// TestSameDisk asks check_disk and the Monitoring Plugins' check_disk the same of this
// machine.
func TestSameDisk(t *testing.T) {
	t.Parallel()
	if goruntime.GOOS != "linux" {
		t.Skip("the Monitoring Plugins are compared with on Linux")
	}
	others := monitoring(t)
	source := facts.New()
	read := func(ctx context.Context) ([]byte, error) { return source.Document(ctx, "filesystems") }
	ours := crafted(t, everything(t, newAuthority(t)), providers.Config{Facts: map[string]runtime.Document{"filesystems": read}})
	data, err := read(t.Context())
	var known host.Filesystems
	if err == nil {
		err = json.Unmarshal(data, &known)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range known.Filesystems {
		if f.Usage == nil || f.Usage.TotalBytes < 1<<30 {
			continue
		}
		free, megabytes := int(100*(1-f.Usage.UsedRatio)), f.Usage.AvailableBytes>>20
		fill := strings.NewReplacer("{at}", f.MountPoint, "{less}", fmt.Sprint(max(free-20, 0)), "{more}", fmt.Sprint(min(free+20, 100)),
			"{half}", fmt.Sprint(megabytes/2), "{twice}", fmt.Sprint(megabytes*2))
		for _, ask := range []string{
			"-w 100% -c 0% -p {at}", "-w 0% -c 100% -p {at}", "-w {less}% -p {at}", "-c {less}% -p {at}", "-w {more}% -c {less}% -p {at}",
			"-w {half} -p {at}", "-c {twice} -p {at}", "-w {twice} -c {half} -m -p {at}", "-w {half} -k -p {at}", "-c 100 -u TB -p {at}",
			"-W 100 -p {at}", "-K 100% -p {at}", "-W 0 -K 0 -p {at}", "-w 0% -E -p {at}/no", "-w 1 -u x -p {at}", "-w 1 -p {at} -x {at}", "-p {at}",
		} {
			line := "check_disk " + fill.Replace(ask)
			output, status := ours(t, line)
			if said, want := others(t, line); status != want {
				t.Errorf("%s: status %d, %s; the Monitoring Plugins' %d, %s", line, status, output, want, said)
			}
		}
	}
}
