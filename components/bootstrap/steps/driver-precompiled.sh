#!/usr/bin/env bash
# Installs modules that Ubuntu compiled and signed for the running kernel, with the user space that fits them: no compiler,
# no new kernel, no reboot.
# Usage: driver-precompiled.sh BRANCH open|closed
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
branch=$1 modules=$2
kernel=$(uname -r)
suffix=server
if [ "$modules" = open ]; then suffix=server-open; fi
packages=("linux-modules-nvidia-$branch-$suffix-$kernel" "nvidia-headless-no-dkms-$branch-$suffix" "nvidia-utils-$branch-server")

finish_dpkg
# The archive keeps one version of the user space, which the modules of older kernels do not fit. Then apt says so before it
# changes anything, and the next way is taken.
ensure_packages "${packages[@]}" || fail "the modules of branch $branch for the kernel $kernel were not installed"
load_driver
check_driver
hold_packages 'nvidia-*' 'libnvidia-*' 'linux-modules-nvidia-*' "linux-image-$kernel" "linux-modules-$kernel"
echo "@changed $changed"
