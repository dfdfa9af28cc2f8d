#!/bin/bash
# Unpacks programs of a Debian suite into a folder to chroot into, for the tests beside this script and those in a kernel's guest.
# The machine's own packages stay as they are. What is already there is kept. Prints the folder.
#
#   setup.sh [SUITE] [SET]     bookworm (default), trixie, sid; interop (default): libvirt, QEMU and xmllint; mdevctl;
#                              incus: its server; host: libvirt with its daemon, QEMU, mdevctl, udev and Podman, in little room
#
# Needs an amd64 Debian (or relative) and root. Goes to $VFIO_MDEV_PEERS_CACHE (default ~/.cache/vfio-mdev-peers).
# $VFIO_MDEV_DEBIAN_MIRROR: a Debian mirror, where apt here knows of none.
set -euo pipefail
say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

suite=${1:-bookworm} set=${2:-interop} unneeded=()
case $set in
  interop)
    packages=(libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu libxml2-utils qemu-system-x86 qemu-system-misc)
    [ "$suite" = bookworm ] || packages+=(libvirt-common qemu-system-s390x) ;;
  mdevctl) packages=(mdevctl dash) ;;
  incus) packages=(dash incus-base incus-client tar) ;;
  host)
    packages=(dash libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu mdevctl podman-docker crun qemu-system-x86 udev)
    [ "$suite" = bookworm ] || packages+=(libvirt-daemon-driver-nodedev libvirt-daemon-lock libvirt-daemon-log)
    # Of the emulators, libvirt asks each that it finds for what it can, which takes long in a guest.
    unneeded=(bin/qemu-system-i386 libexec/qemu-system-i386 lib/cni lib/x86_64-linux-gnu/perl
      share/{doc,locale,man,perl}) ;;
  *) die "there is no set $set" ;;
esac
cache=${VFIO_MDEV_PEERS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vfio-mdev-peers}
root=$cache/$set-$suite work=$cache/work/$set-$suite
mkdir -p "$work"/{lists,archives}/partial
exec 9>"$work/lock"; flock 9       # two runs at once take turns
stamp=$(sha256sum < "$0")
if [ "$(cat "$root/stamp" 2>/dev/null)" = "$stamp" ]; then echo "$root"; exit 0; fi
[ "$(id -u)" = 0 ] || die 'to make a folder to chroot into takes root'

# The mirror is the one that apt uses here for Debian's main archive.
mirror=${VFIO_MDEV_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
  awk '!seen && $3 == "main" && $2 !~ /-(security|updates|backports)$/ && $1 ~ /\/debian\/?$/ { print $1; seen = 1 }')}
[ -n "$mirror" ] || die 'apt knows of no Debian mirror here: set VFIO_MDEV_DEBIAN_MIRROR'
keyrings=(/usr/share/keyrings/debian-archive-keyring.*)
echo "deb [arch=amd64 signed-by=${keyrings[0]}] $mirror $suite main" > "$work/sources.list"
opts=(-q -o APT::Architecture=amd64 -o APT::Architectures::=amd64
  -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o "Dir::State=$work" -o "Dir::State::Lists=$work/lists" -o Dir::State::status=/dev/null
  -o "Dir::Cache=$work" -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Debug::NoLocking=1)
: > "$work/apt.log"
apt() { apt-get "${opts[@]}" "$@" >>"$work/apt.log" 2>&1 || { tail -n 20 "$work/apt.log" >&2; return 1; }; }

say "downloading ${packages[*]} of $suite"
apt update -o APT::Update::Error-Mode=any
rm -rf "$root" "$work"/archives/*.deb
apt -y -d --no-install-recommends install coreutils "${packages[@]}"

for d in bin sbin lib lib64; do mkdir -p "$root/usr/$d"; ln -sfn "usr/$d" "$root/$d"; done
for deb in "$work"/archives/*.deb; do   # no package script is run
  dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$root"
done
rm -f "$work"/archives/*.deb
for name in "${unneeded[@]}"; do rm -rf "$root/usr/$name"; done
mkdir -p "$root"/{dev,etc,proc,run,sys,tmp,var/{cache,lib,log}}
chmod 1777 "$root/tmp"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9
printf 'root:x:0:0:root:/root:/bin/sh\nlibvirt-qemu:x:64055:64055::/tmp:/bin/sh\n' > "$root/etc/passwd"
printf 'root:x:0:\nlibvirt-qemu:x:64055:\nkvm:x:106:\n' > "$root/etc/group"
echo "$stamp" > "$root/stamp"
echo "$root"
