#!/usr/bin/env bash
# Installs NVIDIA's driver on Amazon Linux 2023 and compiles its modules; its repository is there (sources-dnf.sh).
# Usage: driver-dnf.sh BRANCH open|closed
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
branch=$1 modules=$2
kernel=$(uname -r)

# The kernel's packages are named after its series: kernel, kernel6.12, kernel6.18.
series=$(rpm -qf --qf '%{NAME}\n' "/boot/vmlinuz-$kernel" 2>/dev/null || echo kernel)
if [ "$modules" = open ]; then packages=(nvidia-open); stream=$branch-open; else packages=(cuda-drivers); stream=$branch-dkms; fi
if ! as_root rpm -q "${packages[@]}" >/dev/null 2>&1; then
  ensure_packages "$series-devel-$kernel" "$series-headers-$kernel" "$series-modules-extra-$kernel" ||
    fail "/lib/modules/$kernel/build: No such file: the headers of the running kernel were not installed"
  ensure_packages gcc make patch
  # Amazon's own dkms wins by its repository's priority, and is not the one that NVIDIA's packages are made for.
  if ! as_root rpm -q dkms >/dev/null 2>&1; then dnf_get --disablerepo='*' --enablerepo=berth-nvidia install dkms; fi
  # Without a stream no driver is offered, and the newest is not the wanted one.
  dnf_get module enable "nvidia-driver:$stream"
  ensure_packages "${packages[@]}" || fail "the driver of branch $branch was not installed"
fi
load_driver
check_driver
if ! as_root dnf -q versionlock list 2>/dev/null | grep -q '^nvidia'; then
  ensure_packages python3-dnf-plugin-versionlock
  as_root dnf -q versionlock 'kernel*' 'nvidia*'
  changed=yes
fi
echo "@changed $changed"
