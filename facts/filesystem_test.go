package facts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestDistinct(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		give []string // device, then mount point, then "bind"
		want []string // mount points
	}{
		{"sorted", []string{"b /b", "a /a", "r /"}, []string{"/", "/a", "/b"}},
		{"the later of two on one point", []string{"old /a", "new /a"}, []string{"/a"}},
		{"a bind mount of what is shown", []string{"d /z", "d /a bind"}, []string{"/z"}},
		{"the first of two bind mounts", []string{"d /b bind", "d /a bind", "e /c bind"}, []string{"/a", "/c"}},
		{"subvolumes", []string{"d /", "d /home"}, []string{"/", "/home"}},
		{"nothing", nil, nil},
	} {
		var list []Filesystem
		for _, line := range test.give {
			f := strings.Fields(line)
			list = append(list, Filesystem{Device: f[0], MountPoint: f[1], Options: f[2:]})
		}
		list = distinct(list)
		var got []string
		for _, f := range list {
			got = append(got, f.MountPoint)
			if f.Device == "old" {
				t.Errorf("%s: shows a mount that a later one hides", test.name)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestPseudo(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]bool{
		"proc": true, "sysfs": true, "cgroup2": true, "devtmpfs": true, "autofs": true, "fuse.lxcfs": true, "devfs": true,
		"ext4": false, "tmpfs": false, "nfs4": false, "overlay": false, "NTFS": false, "apfs": false, "zfs": false,
		"fuse.sshfs": false, "9p": false, "squashfs": false,
	} {
		if got := pseudo(Filesystem{MountPoint: "/x", Type: kind}); got != want {
			t.Errorf("pseudo(%s) = %v", kind, got)
		}
	}
	if !pseudo(Filesystem{Type: "NTFS"}) {
		t.Error("a drive that is not ready has no mount point and must be left out")
	}
}

// A file system that hangs costs its own figures only, and one goroutine.
func TestHungFilesystem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var asked atomic.Int32
		u := usageProbes{usage: func(_ context.Context, mountPoint string) (Usage, error) {
			switch mountPoint {
			case "/hung":
				asked.Add(1)
				<-release
			case "/broken":
				return Usage{}, errors.New("input/output error")
			}
			return Usage{TotalBytes: 10}, nil
		}}
		for range 20 {
			list := []Filesystem{{MountPoint: "/"}, {MountPoint: "/hung"}, {MountPoint: "/broken"}}
			u.follow(list)
			u.fill(t.Context(), list)
			if list[0].Usage == nil || list[0].Error != "" {
				t.Errorf("beside one that hangs: %+v", list[0])
			}
			if list[1].Usage != nil || !strings.Contains(list[1].Error, "not answered within 1s") {
				t.Errorf("the one that hangs: %+v", list[1])
			}
			if list[2].Usage != nil || list[2].Error != "/broken: input/output error" {
				t.Errorf("the one that is broken: %+v", list[2])
			}
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("%d probes hang; want one", n)
		}
		close(release)
		synctest.Wait()
		list := []Filesystem{{MountPoint: "/hung"}}
		u.follow(list)
		if u.fill(t.Context(), list); list[0].Usage == nil || len(u.byMount) != 1 {
			t.Errorf("after its server came back: %+v; probes for %d mounts, want 1", list[0], len(u.byMount))
		}
	})
}
