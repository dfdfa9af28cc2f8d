#!/bin/bash
# Builds a small guest (kernel + initramfs) that holds the real Linux mdev
# framework, for boot.sh. What is already in the cache and current is kept.
#
#   setup.sh [--arch x86_64|s390x] [--suite bullseye|bookworm|trixie|sid]
#
# x86_64  (default suite bookworm)  Debian's kernel, udevadm and QEMU, this machine's Node,
#         and the kernel's own sample mdev drivers mtty, mdpy and mbochs.
# s390x   (default suite trixie; trixie or sid)  Debian's kernel, udevadm, QEMU and Node, and
#         the kernel's mdev, vfio_ccw and mtty.
#
# Debian ships none of these drivers, so they are built here, unchanged, from the
# source package of the very same kernel, with that suite's own compiler.
#
# Needs an amd64 Debian (or relative) and root, and installs QEMU and a few small
# tools with apt. All else goes to $VFIO_MDEV_GUEST_CACHE (default
# ~/.cache/vfio-mdev-guests), with an apt state of its own: the machine's stays as
# it is. $VFIO_MDEV_DEBIAN_MIRROR: a Debian mirror, where apt here knows of none.
set -euo pipefail

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }
root_only() { [ "$(id -u)" = 0 ] || die 'to build a guest takes root'; }

arch=x86_64 suite=
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || usage
  case $1 in --arch) arch=$2 ;; --suite) suite=$2 ;; *) usage ;; esac
  shift 2
done

case $arch in
  x86_64) deb=amd64 qemu=qemu-system-x86_64 qemu_pkg=qemu-system-x86 guest_qemu_pkg=qemu-system-x86 cross='' node_pkg=''
          suite=${suite:-bookworm}
          wanted='virtio_pci virtio_console 9p 9pnet_virtio vfio_iommu_type1 iommufd vfio_pci vfio_mdev mtty mdpy mbochs' ;;
  s390x)  deb=s390x qemu=qemu-system-s390x qemu_pkg=qemu-system-misc guest_qemu_pkg=qemu-system-s390x cross=-s390x-linux-gnu node_pkg=nodejs:s390x
          suite=${suite:-trixie}
          wanted='virtio_console 9p 9pnet_virtio virtio-rng vfio_iommu_type1 mdev vfio_ccw mtty' ;;
  *) usage ;;
esac

here=$(dirname "$(readlink -f "$0")")
cache=${VFIO_MDEV_GUEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vfio-mdev-guests}
guest=$cache/$arch-$suite          # the result: vmlinuz, initramfs, config, release, stamp
work=$cache/work/$arch-$suite      # apt state and logs
mkdir -p "$work"/{lists,archives}/partial
exec 9>"$work/lock"; flock 9       # two runs at once take turns

# --- 1. Is there anything to do? ---------------------------------------------
missing=
need() { command -v "$1" >/dev/null || missing="$missing $2"; }
need "$qemu" "$qemu_pkg"; need cpio cpio; need depmod kmod; need xz xz-utils
[ -n "$(ls /usr/share/keyrings/debian-archive-keyring.* 2>/dev/null)" ] || missing="$missing debian-archive-keyring"
if [ -n "$missing" ]; then
  root_only
  say "installing$missing"
  apt-get -q update >&2
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
    install --no-install-recommends $missing >&2
fi

# A guest is current if it was made by this script, with this init and this Node.
node=$(node -p process.execPath)
stamp=$(cat "$0" "$here/init" <("$node" --version) | sha256sum)
if [ "$(cat "$guest/stamp" 2>/dev/null)" = "$stamp" ]; then
  say "$arch $suite is ready ($(cat "$guest/release"))"; exit 0
fi
root_only

# --- 2. Packages, in an apt state of their own --------------------------------
# The mirror is the one that apt uses here for Debian's main archive.
mirror() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk '!seen && $3 == "main" && $2 !~ /-(security|updates|backports)$/ && $1 ~ /\/debian\/?$/ { print $1; seen = 1 }'
}
mirror=${VFIO_MDEV_DEBIAN_MIRROR:-$(mirror)}
[ -n "$mirror" ] || die 'apt knows of no Debian mirror here: set VFIO_MDEV_DEBIAN_MIRROR'
keyrings=(/usr/share/keyrings/debian-archive-keyring.*)
echo "deb [arch=amd64,$deb signed-by=${keyrings[0]}] $mirror $suite main" > "$work/sources.list"
opts=(-q -o APT::Architecture=amd64 -o APT::Architectures::=amd64 -o "APT::Architectures::=$deb"
  -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o "Dir::State=$work" -o "Dir::State::Lists=$work/lists" -o Dir::State::status=/dev/null
  -o "Dir::Cache=$work" -o APT::Sandbox::User=root -o Acquire::Retries=3)

# apt COMMAND...: quietly, its output shown only when it fails.
apt() { apt-get "${opts[@]}" "$@" >>"$work/apt.log" 2>&1 || { tail -n 20 "$work/apt.log" >&2; return 1; }; }
# merged DIR: with /bin, /lib and so on merged into /usr.
merged() { local d; for d in bin sbin lib lib64; do mkdir -p "$1/usr/$d"; ln -sfn "usr/$d" "$1/$d"; done; }
# unpack DIR: unpacks what was just downloaded (no package script is run).
unpack() {
  local d
  merged "$1"
  for d in "$work"/archives/*.deb; do dpkg-deb --fsys-tarfile "$d" | tar -x --keep-directory-symlink -C "$1"; done
  rm -f "$work"/archives/*.deb
}
# fetch DIR PACKAGE...: into DIR, with all that they depend on.
fetch() { local dir=$1; shift; apt -y -d --no-install-recommends install "$@"; unpack "$dir"; }
# fetch_only PACKAGE...: these files alone, left in archives/.
fetch_only() { (cd "$work/archives" && apt download "$@"); }
# field PACKAGE FIELD
field() { apt-cache "${opts[@]}" show "$1" | awk -v f="$2: " '!seen && index($0, f) == 1 { print substr($0, length(f) + 1); seen = 1 }'; }
# the PATTERN of TEXT
the() { grep -o -m1 "$1" <<<"$2" | sed -n 1p; }

say "reading the package list of $suite"
: > "$work/apt.log"
apt update -o APT::Update::Error-Mode=any
rm -f "$work"/archives/*.deb
root=$work/root build=$work/build tree=$work/tree   # guest packages, build tools, initramfs
rm -rf "$root" "$build" "$tree"
headers=$(the 'linux-headers-[^ ,]*' "$(field "linux-headers-$deb:$deb" Depends)")
kver=${headers#linux-headers-}
version=$(field "$headers:$deb" Version)
needs=$(field "$headers:$deb" Depends)
say "downloading the kernel $kver"
# shellcheck disable=SC2086
fetch "$root" "linux-image-$deb:$deb" "busybox-static:$deb" "udev:$deb" "$guest_qemu_pkg:$deb" $node_pkg

# --- 3. The drivers ------------------------------------------------------------
source=linux-source-$(the '^[0-9]*\.[0-9]*' "$kver")
say "downloading the compiler and $source"
fetch "$build" make dash bash coreutils sed grep mawk findutils \
  "$(the 'linux-kbuild-[^ ,]*' "$needs")" "$(the 'gcc-[0-9]*' "$needs")$cross"
fetch_only "$headers:$deb" "linux-headers-${kver%-"$deb"}-common"
unpack "$build"
ln -sf mawk "$build/usr/bin/awk"   # else made by a package script

# No mounts, so that a plain container will do: this much of /dev and /proc is enough.
mkdir -p "$build"/{dev,proc/self,tmp,drivers}
mknod -m 666 "$build/dev/null" c 1 3
cat /proc/self/maps > "$build/proc/self/maps"   # objtool of 7.x reads it
fetch_only "$source=$version"
dpkg-deb --fsys-tarfile "$work"/archives/*.deb | tar -xO "./usr/src/$source.tar.xz" |
  tar -xJ -C "$build/drivers" --strip-components=1 --wildcards "$source/samples/vfio-mdev/*" \
    "$source/drivers/vfio/mdev/*" "$source/drivers/s390/cio/*"
rm -f "$work"/archives/*.deb
cp "$build"/drivers/samples/vfio-mdev/*.[ch] "$build/drivers/"
if [ "$arch" = x86_64 ]; then
  echo 'obj-m := mtty.o mdpy.o mbochs.o'
else
  cat <<'MK'
obj-m := mdev.o vfio_ccw.o mtty.o
mdev-y := $(addprefix drivers/vfio/mdev/mdev_,core.o sysfs.o driver.o)
vfio_ccw-y := $(addprefix drivers/s390/cio/vfio_ccw_,drv.o cp.o ops.o fsm.o async.o trace.o chp.o)
CFLAGS_drivers/s390/cio/vfio_ccw_trace.o := -I$(src)/drivers/s390/cio
MK
fi > "$build/drivers/Makefile"
say "building the drivers"
chroot "$build" /usr/bin/env -i PATH=/usr/bin:/usr/sbin HOME=/tmp \
  make -C "/usr/src/$headers" M=/drivers modules >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
mkdir "$root/usr/lib/modules/$kver/extra"
cp "$build"/drivers/*.ko "$root/usr/lib/modules/$kver/extra/"

# --- 4. The initramfs: busybox, Node, udevadm, QEMU, the modules, /init --------
say "packing the guest"
merged "$tree"
mkdir -p "$tree"/{proc,sys,dev,run,tmp,root,etc,ctl,share}
cp "$root/usr/bin/busybox" "$tree/usr/bin/busybox"
install -m 755 "$here/init" "$tree/init"
echo root:x:0:0:root:/root:/bin/sh > "$tree/etc/passwd"
echo root:x:0: > "$tree/etc/group"

# The modules with what they depend on, decompressed (busybox reads them plain).
depmod -b "$root" "$kver"
for m in $wanted; do   # not every kernel has, or needs, every one
  modprobe -d "$root" -S "$kver" --show-depends "$m" 2>/dev/null || true
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r ko; do
  to=$tree/usr/lib/modules/$kver/${ko#*"/$kver/"}
  mkdir -p "$(dirname "$to")"
  case $ko in *.xz) xz -dc "$ko" > "${to%.xz}" ;; *) cp "$ko" "$to" ;; esac
done
cp "$root/usr/lib/modules/$kver"/modules.{order,builtin*} "$tree/usr/lib/modules/$kver/"
depmod -b "$tree" "$kver"

# Node and its libraries: this machine's, or Debian's for the other architecture. The programs are of the guest's
# Debian, whose libraries are not this machine's: where those are, they have their own. QEMU looks for its modules and
# firmware relative to the folder of its loader, as deep as /usr/bin.
programs="/usr/bin/udevadm /usr/bin/$qemu"
if [ "$arch" = x86_64 ]; then
  libs=/usr/lib/x86_64-linux-gnu own=/usr/debian
  loader=$libs/ld-linux-x86-64.so.2
  mkdir "$tree$own"
  cp -L "$root$loader" "$tree$own"
  for program in $programs; do
    chroot "$root" $loader --library-path $libs:$libs/systemd --list "$program" |
      sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | while read -r lib; do cp -L "$root$lib" "$tree$own"; done
    cp "$root$program" "$tree$own"
    printf '#!/bin/sh\nexec %s/%s --library-path %s %s/%s "$@"\n' $own ${loader##*/} $own $own "${program##*/}" > "$tree$program"
    chmod 755 "$tree$program"
  done
  cp "$node" "$tree/usr/bin/node"
  ldd "$node" | grep -o '/[^ ]*' | while read -r lib; do
    mkdir -p "$tree$(dirname "$lib")"; cp -L "$lib" "$tree$lib"
  done
else
  for program in /usr/bin/node $programs; do cp "$root$program" "$tree/usr/bin/"; done
  cp -a "$root"/usr/lib/s390x-linux-gnu "$root"/usr/lib/ld* "$tree/usr/lib/"
  mkdir -p "$tree/usr/share"
  cp -a "$root/usr/share/nodejs" "$tree/usr/share/"
fi
# Of QEMU's modules and firmware, what a machine takes that has nothing but a mediated device.
(cd "$root" && find usr/lib/*/qemu/accel-tcg-* usr/share/seabios/{bios-256k,vgabios-ramfb}.bin \
  usr/share/qemu/{kvmvapic.bin,s390-ccw.img} 2>/dev/null | cpio -pd --quiet "$tree") || true   # not every QEMU has every one

# The kernel lies in /boot, or since 7.x beside its modules.
first() { local f; for f in "$@"; do if [ -e "$f" ]; then echo "$f"; return; fi; done; return 1; }
new=$work/new
rm -rf "$new"; mkdir "$new"
(cd "$tree" && find . | cpio -o -H newc --quiet -R 0:0) > "$new/initramfs"
cp "$(first "$root"/boot/vmlinu[zx]-* "$root/usr/lib/modules/$kver"/vmlinu[zx])" "$new/vmlinuz"
cp "$(first "$root"/boot/config-* "$root/usr/lib/modules/$kver/config")" "$new/config"
echo "$kver" > "$new/release"
echo "$stamp" > "$new/stamp"
rm -rf "$guest" "$root" "$build" "$tree"
mv "$new" "$guest"
say "$arch $suite is ready ($kver, $(du -m "$guest/initramfs" | cut -f1) MiB)"
