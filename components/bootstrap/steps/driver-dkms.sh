#!/usr/bin/env bash
# Compiles NVIDIA's modules on the host for the running kernel: Ubuntu's packages on Ubuntu, NVIDIA's on Debian.
# Usage: driver-dkms.sh BRANCH open|closed GCC_MAJOR      GCC_MAJOR is that of the kernel; empty for the system's own
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
branch=$1 modules=$2 gcc=$3
kernel=$(uname -r)
# shellcheck disable=SC1091
system=$(. /etc/os-release && echo "$ID")

finish_dpkg
if [ ! -e "/lib/modules/$kernel/build/Makefile" ]; then
  if ! plan=$(packages_resolve "linux-headers-$kernel"); then
    printf '%s\n' "$plan"
    fail "/lib/modules/$kernel/build: No such file: the headers of the running kernel are not installed, and the archive no longer has them"
  fi
  ensure_packages "linux-headers-$kernel"
fi
# A module built by another major version than the kernel's is refused, or does not compile.
compiler=gcc
if [ -n "$gcc" ] && packages_resolve "gcc-$gcc" >/dev/null; then compiler=gcc-$gcc; fi
ensure_packages dkms make "$compiler"
conf=/etc/dkms/nvidia.conf
wanted="MAKE[0]=\"'make' -j$(nproc) NV_EXCLUDE_BUILD_MODULES='' KERNEL_UNAME=\${kernelver} modules CC=$compiler\""
if [ "$(cat "$conf" 2>/dev/null)" != "$wanted" ]; then
  as_root mkdir -p /etc/dkms
  printf '%s\n' "$wanted" | as_root tee "$conf" >/dev/null
  changed=yes
fi
if [ "$system" = ubuntu ]; then
  suffix=server
  if [ "$modules" = open ]; then suffix=server-open; fi
  packages=("nvidia-headless-$branch-$suffix" "nvidia-utils-$branch-server")
else
  # The pin comes first: without it the newest branch is installed.
  ensure_packages "nvidia-driver-pinning-$branch"
  if [ "$modules" = open ]; then packages=(nvidia-open); else packages=(cuda-drivers); fi
fi
if ! plan=$(packages_resolve "${packages[@]}"); then
  printf '%s\n' "$plan"
  fail "the driver of branch $branch cannot be installed"
fi
if ! ensure_packages "${packages[@]}"; then
  tail -n 30 /var/lib/dkms/nvidia/*/build/make.log 2>/dev/null || true
  fail "the driver's packages were not installed"
fi
load_driver
check_driver
hold_packages 'nvidia-*' 'libnvidia-*' 'cuda-drivers*' "linux-image-$kernel" "linux-headers-$kernel"
echo "@changed $changed"
