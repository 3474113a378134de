#!/usr/bin/env bash
# Tells all that the bootstrap decides by, in one round trip: one `key=value` a line; `gpu=` once for each GPU.
# Usage: facts.sh DATA_FOLDER
set -uo pipefail
folder=$1
fact() { printf '%s=%s\n' "$1" "$2"; }

if [ -r /etc/os-release ]; then
  # shellcheck disable=SC1091
  (. /etc/os-release && fact os "${ID:-unknown}" && fact os_version "${VERSION_ID:-}")
else
  fact os "$(uname -s | tr '[:upper:]' '[:lower:]')"
fi
fact platform "$(uname -s)"
fact architecture "$(uname -m)"
fact kernel "$(uname -r)"
fact boot_id "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown)"
fact user "$(id -un)"
fact root "$([ "$(id -u)" = 0 ] && echo yes || echo no)"
fact sudo "$(sudo -n true 2>/dev/null && echo yes || echo no)"
fact systemd "$([ -d /run/systemd/system ] && echo yes || echo no)"
fact cloud_init "$(command -v cloud-init >/dev/null && echo yes || echo no)"
fact apt "$(command -v apt-get >/dev/null && echo yes || echo no)"
fact emulated "$([ -e "${BERTH_ROOT:-}/etc/berth-emulated" ] || [ -e /etc/berth-emulated ] && echo yes || echo no)"
fact berth_root "${BERTH_ROOT:-}"
fact cpus "$(nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 0)"
fact memory_mib "$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo 2>/dev/null || echo 0)"

there=$folder
while [ ! -d "$there" ] && [ "$there" != / ]; do there=$(dirname "$there"); done
fact free_mib "$(df -Pk "$there" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }')"

devices=0
for device in "${BERTH_SYSFS:-/sys}"/bus/pci/devices/*; do
  if [ "$(cat "$device/vendor" 2>/dev/null)" = 0x10de ]; then
    case $(cat "$device/class" 2>/dev/null) in 0x03*) devices=$((devices + 1)) ;; esac
  fi
done
fact pci_gpus "$devices"
fact module "$(grep -q '^nvidia ' /proc/modules 2>/dev/null && echo loaded || echo absent)"
fact module_version "$(sed -n 's/^NVRM version:.*Module[^0-9]*\([0-9.]*\).*/\1/p' /proc/driver/nvidia/version 2>/dev/null)"
if command -v nvidia-smi >/dev/null; then
  query=index,name,uuid,memory.total,driver_version
  timed() { if command -v timeout >/dev/null; then timeout -k 2 20 "$@"; else "$@"; fi; }
  rows=$(timed nvidia-smi --query-gpu=$query --format=csv,noheader,nounits 2>&1 </dev/null)
  status=$?
  fact nvidia_smi "$status"
  if [ "$status" = 0 ]; then
    printf '%s\n' "$rows" | sed -n '/./s/^/gpu=/p'
  else
    fact nvidia_smi_says "$(printf '%s' "$rows" | head -n 1 | cut -c1-200)"
  fi
else
  fact nvidia_smi absent
fi
exit 0
