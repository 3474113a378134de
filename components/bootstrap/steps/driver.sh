#!/usr/bin/env bash
# Verifies a driver that came with the machine image; it installs nothing.
# Usage: driver.sh STRATEGY EMULATED      STRATEGY is `none` or `preinstalled`; EMULATED is yes or no
set -euo pipefail
strategy=$1 emulated=$2
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
changed=no

if [ "$strategy" = preinstalled ]; then
  if [ "$emulated" = no ]; then
    if ! grep -q '^nvidia ' /proc/modules; then
      echo "loading the nvidia module"
      as_root modprobe nvidia
      changed=yes
    fi
    if ! grep -q '^nvidia_uvm ' /proc/modules; then
      echo "loading the nvidia_uvm module"
      as_root modprobe nvidia-uvm
      changed=yes
    fi
  fi
  command -v nvidia-smi >/dev/null || { echo "nvidia-smi is not there" >&2; exit 1; }
  status=0
  timeout -k 2 60 nvidia-smi -L </dev/null || status=$?
  if [ "$status" != 0 ]; then
    echo "nvidia-smi ended with status $status" >&2
    exit 1
  fi
fi
echo "@changed $changed"
