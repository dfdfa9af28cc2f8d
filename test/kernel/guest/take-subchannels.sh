#!/bin/sh
# Inside an s390x guest: gives the subchannels of channel devices to vfio_ccw, then
# runs a command.
#
#   take-subchannels.sh 0.0.1111 0.0.2222 -- COMMAND...
#
# Status 120: a subchannel could not be taken, and the command was not run.
fail() { echo "take-subchannels: $*" >&2; exit 120; }
taken=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  [ -e "/sys/bus/ccw/devices/$1" ] || fail "there is no channel device $1"
  sch=$(basename "$(dirname "$(readlink -f "/sys/bus/ccw/devices/$1")")")
  css=/sys/bus/css
  echo vfio_ccw > "$css/devices/$sch/driver_override" || fail "$sch: driver_override"
  echo "$sch" > "$css/devices/$sch/driver/unbind" || fail "$sch: unbind"
  echo "$sch" > "$css/drivers/vfio_ccw/bind" || fail "$sch: bind"
  [ -e "/sys/class/mdev_bus/$sch" ] || fail "$sch is no parent"
  taken="$taken $sch=$1"
  shift
done
shift   # the --
VFIO_MDEV_SUBCHANNELS=$taken exec "$@"
