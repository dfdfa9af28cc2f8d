#!/bin/bash
# Boots a guest that setup.sh built and runs a command in it, as root, in a folder
# of this machine (mounted read-write). Standard output and error come back apart;
# the exit status is the command's. Standard input is empty.
#
#   boot.sh [--arch x86_64|s390x] [--suite SUITE] [--accel kvm|tcg] [--share DIR]
#           [--modules 'NAME...'] [--cpus N] [--timeout SECONDS] [--log FILE] -- COMMAND...
#
# --accel    kvm where the processor shows vmx or svm and /dev/kvm opens, else tcg
# --share    that folder (default: the current one)
# --modules  loaded before the command (default: the sample drivers, or vfio_ccw)
# --cpus     of the guest (default 2, so that races show)
# --timeout  for the whole run (default 600); status 124 when it strikes
# --log      keeps the guest's console (kernel messages)
#
# Status 125: the guest itself failed (its console is then printed). A guest that
# fails before the command has begun is booted anew, up to 3 times in all: under
# emulation with 2 CPUs, one boot in some hundred ends in an Oops of the kernel.
set -euo pipefail

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
say() { printf 'boot: %s\n' "$*" >&2; }

arch=x86_64 suite='' accel='' share=$PWD timeout=600 log='' modules='' cpus=2
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  [ $# -ge 2 ] || usage
  case $1 in
    --arch) arch=$2 ;;
    --suite) suite=$2 ;;
    --accel) accel=$2 ;;
    --share) share=$2 ;;
    --modules) modules=$2 ;;
    --cpus) cpus=$2 ;;
    --timeout) timeout=$2 ;;
    --log) log=$2 ;;
    *) usage ;;
  esac
  shift 2
done
[ $# -ge 2 ] || usage
shift   # the --

case $arch in
  x86_64) qemu=qemu-system-x86_64 bus=pci machine=q35 console=ttyS0 suite=${suite:-bookworm}
          modules=${modules:-vfio_iommu_type1 vfio_mdev mtty mdpy mbochs} ;;
  s390x)  qemu=qemu-system-s390x bus=ccw machine=s390-ccw-virtio console=ttysclp0 suite=${suite:-trixie}
          modules=${modules:-vfio_iommu_type1 vfio_ccw mtty} accel=tcg ;;
  *) usage ;;
esac
if [ -z "$accel" ]; then   # another make of KVM can't boot a stock kernel
  if [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then accel=kvm; else accel=tcg; fi
fi
if [ "$accel" = kvm ]; then cpu=host; else cpu=max; fi

guest=${VFIO_MDEV_GUEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vfio-mdev-guests}/$arch-$suite
[ -e "$guest/stamp" ] || { say "run setup.sh --arch $arch --suite $suite first"; exit 125; }

ctl=$(mktemp -d); trap 'rm -rf "$ctl"' EXIT
printf '%q ' "$@" > "$ctl/cmd"
echo "$modules" > "$ctl/modules"

# Output leaves the guest through two virtio-serial ports that QEMU writes to this
# script's own stdout and stderr, handed over as file descriptors 3 and 4.
args=(-machine "$machine" -accel "$accel" -cpu "$cpu" -smp "$cpus" -m 2048
  -nodefaults -no-user-config -display none -no-reboot
  -kernel "$guest/vmlinuz" -initrd "$guest/initramfs"
  -append "console=$console loglevel=4 panic=-1 rdinit=/init"
  -chardev "file,id=con,path=$ctl/console"
  -add-fd fd=3,set=1 -chardev file,id=out,path=/dev/fdset/1,append=on
  -add-fd fd=4,set=2 -chardev file,id=err,path=/dev/fdset/2,append=on
  -device "virtio-serial-$bus"
  -device virtserialport,chardev=out,name=out -device virtserialport,chardev=err,name=err
  -fsdev "local,id=ctl,path=$ctl,security_model=none"
  -device "virtio-9p-$bus,fsdev=ctl,mount_tag=ctl"
  -fsdev "local,id=share,path=$(readlink -f "$share"),security_model=none,multidevs=remap"
  -device "virtio-9p-$bus,fsdev=share,mount_tag=share")
case $arch in
  x86_64) args+=(-serial chardev:con) ;;
  # Two spare channel devices, for vfio_ccw to take.
  s390x) args+=(-device sclpconsole,chardev=con
    -device virtio-rng-ccw,devno=fe.0.1111 -device virtio-rng-ccw,devno=fe.0.2222) ;;
esac

pid=''
stop() { [ -z "$pid" ] || kill "$pid" 2>/dev/null || true; exit 143; }
trap stop INT TERM HUP
for _ in 1 2 3; do
  rc=0
  timeout "$timeout" "$qemu" "${args[@]}" 3>&1 4>&2 </dev/null & pid=$!
  wait "$pid" || rc=$?
  pid=''
  if [ "$rc" != 0 ] || [ -e "$ctl/begun" ] || [ -e "$ctl/status" ]; then break; fi
  say 'the guest did not come up; booting it again'
done
[ -z "$log" ] || cp "$ctl/console" "$log"
[ ! -s "$ctl/status" ] || exit "$(cat "$ctl/status")"
if [ "$rc" = 124 ]; then say "timed out after $timeout s; the guest's console:"; else rc=125; say "the guest failed; its console:"; fi
tail -n 60 "$ctl/console" >&2
exit "$rc"
