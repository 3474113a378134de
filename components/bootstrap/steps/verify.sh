#!/usr/bin/env bash
# Asks the GPUs themselves: what nvidia-smi lists, what the kernel's log says of them, and whether CUDA computes on each.
# Usage: verify.sh EMULATED
# Prints `@gpu INDEX, NAME, UUID, MEMORY_MIB, DRIVER`, `@health INDEX, UNCORRECTED_ECC, MAX_SM_MHZ, PCIE_GENERATION,
# PCIE_WIDTH`, `@device JSON` and `@clocks INDEX, REASONS, CLOCK_MHZ, DEFAULT_CLOCK_MHZ` a GPU, `@nvlink LINE` for each of the
# status of NVLinks, and `@cuda real|emulated|none`. `cuda_check` is the text of cuda-check.py.
# shellcheck disable=SC2154  # `cuda_check` and `sysfs` are set before this file
set -euo pipefail
emulated=$1
if ! have nvidia-smi; then
  say "no GPU: nvidia-smi is not there"
  echo "@cuda none"
  exit 0
fi
smi() { timeout -k 2 60 nvidia-smi --format=csv,noheader,nounits "$@" </dev/null; }
status=0
rows=$(smi --query-gpu=index,name,uuid,memory.total,driver_version) || status=$?
printf '%s\n' "$rows" | sed -n '/./s/^/@gpu /p'
if [ "$status" != 0 ]; then fail "nvidia-smi ended with status $status"; fi
if [ "$emulated" = yes ]; then
  echo "@cuda emulated"
  exit 0
fi
# Not every board has every figure; what is missing is [N/A].
{ smi --query-gpu=index,ecc.errors.uncorrected.volatile.total,clocks.max.sm,pcie.link.gen.max,pcie.link.width.current || true; } |
  sed -n 's/^[0-9].*/@health &/p'
# The numbers are those that NVIDIA's catalogue calls fatal (https://docs.nvidia.com/deploy/xid-errors).
fatal='46|48|54|62|63|64|74|79|95|109|110|119|120|136|140|142|143|151|155|156|158'
as_root dmesg 2>/dev/null | grep -E "NVRM: Xid .*: ($fatal)," | tail -n 5 || true

have python3 || ensure_packages python3
# nvidia-smi can be content while CUDA is not: no fabric manager gives 802, no nvidia-uvm gives 999.
if [ ! -e /dev/nvidia-uvm ] && have nvidia-modprobe; then as_root nvidia-modprobe -u -c0 || true; fi
python3 -c "$cuda_check"
# What holds clocks down shows best behind some work. Newer drivers name the field otherwise, and an unknown one fails the question.
clocks() { smi --query-gpu="index,$1.active,clocks.applications.graphics,clocks.default_applications.graphics" 2>/dev/null; }
{ clocks clocks_event_reasons || clocks clocks_throttle_reasons || true; } | sed -n 's/^[0-9].*/@clocks &/p'
{ timeout -k 2 60 nvidia-smi nvlink --status </dev/null 2>/dev/null || true; } | sed -n '/./s/^/@nvlink /p'
echo "@cuda real"
