#!/bin/sh
# Inside an x86_64 guest: makes a Debian with daemons of debian.tar, in the folder /debian, then runs a command beside it.
# What runs there with chroot has the guest's devices, processes and /run, and a udevd that tells of them.
#
#   in-debian.sh COMMAND...
#
# Status 120: it could not be made, and the command was not run.
fail() { echo "in-debian: $*" >&2; exit 120; }
mkdir /debian
mount -t tmpfs debian /debian || fail 'no memory'
tar -xf debian.tar -C /debian || fail 'debian.tar does not unpack'
mount -t cgroup2 cgroup /sys/fs/cgroup || fail 'no cgroups'
for of_guest in dev proc run sys; do
  mkdir -p "/debian/$of_guest"
  mount --rbind "/$of_guest" "/debian/$of_guest" || fail "no /$of_guest"
done
rm -rf /debian/var/run
ln -s /run /debian/var/run
mkdir -p /debian/root /debian/var/tmp /debian/var/log
ln -s /proc/self/fd/0 /dev/stdin
export SYSTEMD_IGNORE_CHROOT=1
chroot /debian /usr/lib/systemd/systemd-udevd --daemon && chroot /debian udevadm trigger &&
  chroot /debian udevadm settle || fail 'no udevd'
exec "$@"
