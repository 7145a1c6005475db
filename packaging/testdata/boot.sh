#!/bin/sh
# Boots systemd in a copy of this system that is gone with it: boot.sh DIR, where DIR has
# "overlay", an empty directory, "notify", with a socket that hears when it is up, and
# "packages", which it sees at /opt/packages. It takes namespaces of its own.
set -eu
dir=$1
mount -t tmpfs tmpfs "$dir/overlay"
cd "$dir/overlay"
mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
cd root
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
	touch "dev/$device"
	mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir -p run/notify opt/packages
mount --bind "$dir/notify" run/notify
mount --bind "$dir/packages" opt/packages
: >etc/fstab
: >etc/machine-id
printf '[Unit]\nRequires=sysinit.target\nAfter=sysinit.target\n' >etc/systemd/system/test.target
# An agent that was tried here has no part in it.
rm -rf etc/wasmagent var/lib/wasmagent var/cache/wasmagent var/log/wasmagent
# Packages start what they install here, as on a real machine.
rm -f usr/sbin/policy-rc.d
mkdir -p mnt
pivot_root . mnt
umount -l mnt
exec env -i container=test NOTIFY_SOCKET=/run/notify/socket PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --system --unit=test.target --show-status=0
