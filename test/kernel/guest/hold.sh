#!/bin/bash
# Compiles hold.c, for the guests of this machine's architecture.
#
#   hold.sh FILE
#
# Needs a C compiler with the C library's static half; where there is none, it
# installs them with apt, which takes root.
set -euo pipefail
compile() { gcc -static -O1 -Wall -Werror -o "$1" "$(dirname "$0")/hold.c"; }

if compile "$1" 2>/dev/null; then exit 0; fi
echo 'hold: installing gcc and libc6-dev' >&2
apt-get -q update >&2
DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
  install --no-install-recommends gcc libc6-dev >&2
compile "$1"
