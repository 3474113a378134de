#!/usr/bin/env bash
# Installs and starts NVIDIA's fabric manager in the version of the driver, and waits until the fabric is up.
# Usage: fabric-manager.sh [nvlink5]      nvlink5: the switches are Blackwell's, which want a subnet manager beside it
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
unit=nvidia-fabricmanager.service
version=$(loaded_version)
[ -n "$version" ] || fail "no NVIDIA module is loaded"
branch=${version%%.*}

# Blackwell's switches are reached through InfiniBand's modules, which Ubuntu's smaller kernels have in a package of their own;
# without them and the subnet manager the fabric manager takes the machine for an older one, and ends.
if [ "${1:-}" = nvlink5 ]; then
  if ! load_module mlx5_ib; then
    on_amazon || ensure_packages "linux-modules-extra-$(uname -r)"
    load_module mlx5_ib
  fi
  load_module ib_umad
  if [ "$(cat /etc/modules-load.d/berth-nvlink.conf 2>/dev/null)" != $'mlx5_ib\nib_umad' ]; then
    printf 'mlx5_ib\nib_umad\n' | as_root tee /etc/modules-load.d/berth-nvlink.conf >/dev/null
    changed=yes
  fi
  ensure_packages nvlsm infiniband-diags
fi

manager_version() { nv-fabricmanager --version 2>/dev/null | grep -o '[0-9][0-9]*\.[0-9.]*' | head -n 1 || true; }
if [ "$(manager_version)" != "$version" ]; then
  if ! on_amazon; then
    finish_dpkg
    package=nvidia-fabricmanager-$branch
    if ! packages_resolve "$package" >/dev/null; then package=nvidia-fabricmanager; fi
    # The repository's newest may be ahead of the driver, and then it refuses to run.
    exact=$(apt-cache madison "$package" | awk -v want="$version" 'index($3, want) == 1 { print $3; exit }')
    say "installing $package ${exact:-(the archive names no version $version)}"
    apt_get install --no-install-recommends --allow-downgrades --allow-change-held-packages "$package${exact:+=$exact}"
    as_root apt-mark hold "$package" >/dev/null
  else
    # Its name lost a dash with branch 580 (awslabs/amazon-eks-ami, install-nvidia-driver.sh).
    if [ "$branch" -lt 580 ]; then package=nvidia-fabric-manager; else package=nvidia-fabricmanager; fi
    dnf_get install "$package-$version"
  fi
  changed=yes
fi
got=$(manager_version)
if [ "$got" != "$version" ]; then fail "fabric manager NVIDIA GPU driver interface version $got don't match with driver version $version"; fi
if ! systemctl is-enabled --quiet "$unit" || ! systemctl is-active --quiet "$unit"; then
  as_root systemctl enable --quiet "$unit"
  changed=yes
fi
# Started too early it ends with "not all local fabric manager instances finished"; so it is started again for five minutes.
deadline=$((SECONDS + 300))
while ! systemctl is-active --quiet "$unit"; do
  as_root systemctl restart "$unit" || true
  if systemctl is-active --quiet "$unit"; then break; fi
  if [ "$SECONDS" -ge "$deadline" ]; then
    as_root journalctl -u "$unit" -n 15 --no-pager || true
    fail "the fabric manager does not start"
  fi
  sleep "$retry_seconds"
done
while :; do
  states=$(nvidia-smi --query-gpu=fabric.state --format=csv,noheader 2>/dev/null || true)
  if [ -n "$states" ] && ! printf '%s\n' "$states" | grep -qv '^Completed$\|N/A'; then break; fi
  if [ "$SECONDS" -ge "$deadline" ]; then fail "fabric.state is not Completed: $(printf '%s' "$states" | tr '\n' ' ')"; fi
  sleep 1
done
echo "@changed $changed"
