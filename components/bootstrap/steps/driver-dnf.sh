#!/usr/bin/env bash
# Installs NVIDIA's driver on Amazon Linux 2023 and compiles its modules. Not yet run on a host.
# Usage: driver-dnf.sh BRANCH open|closed REPOSITORY_URL
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
branch=$1 modules=$2 url=$3
kernel=$(uname -r)
dnf_get() { as_root dnf -y -q --setopt=lock_timeout="$lock_seconds" "$@" </dev/null; }

# The kernel's packages are named after its series: kernel, kernel6.12, kernel6.18.
series=$(rpm -qf --qf '%{NAME}\n' "/boot/vmlinuz-$kernel" 2>/dev/null || echo kernel)
list=/etc/yum.repos.d/berth-nvidia.repo
wanted=$(printf '[berth-nvidia]\nname=NVIDIA\nbaseurl=%s\nenabled=1\ngpgcheck=1\ngpgkey=%s/D42D0685.pub\n' "$url" "$url")
if [ "$(cat "$list" 2>/dev/null)" != "$wanted" ]; then
  printf '%s\n' "$wanted" | as_root tee "$list" >/dev/null
  changed=yes
fi
if [ "$modules" = open ]; then packages=(nvidia-open); stream=$branch-open; else packages=(cuda-drivers); stream=$branch-dkms; fi
if ! rpm -q "${packages[@]}" >/dev/null 2>&1; then
  dnf_get install "$series-devel-$kernel" "$series-headers-$kernel" "$series-modules-extra-$kernel" dkms ||
    fail "/lib/modules/$kernel/build: No such file: the archive has no headers of the running kernel"
  dnf_get module enable "nvidia-driver:$stream"
  dnf_get install "${packages[@]}"
  changed=yes
fi
load_driver
check_driver
if ! as_root dnf -q versionlock list 2>/dev/null | grep -q '^kernel'; then
  dnf_get install python3-dnf-plugin-versionlock
  as_root dnf -q versionlock 'kernel*' 'nvidia*'
  changed=yes
fi
echo "@changed $changed"
