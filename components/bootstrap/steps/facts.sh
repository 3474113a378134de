#!/usr/bin/env bash
# Tells all that the bootstrap decides by, in one round trip: one `key=value` a line; `gpu=`, `pci=` and `instance_store=`
# once for each. It changes nothing, needs no root, and what it cannot find out it leaves out.
# Usage: facts.sh DATA_FOLDER
set -uo pipefail
folder=$1
sysfs=${BERTH_SYSFS:-/sys}
fact() { printf '%s=%s\n' "$1" "$2"; }
have() { command -v "$1" >/dev/null 2>&1; }
answer() { if "$@" >/dev/null 2>&1 </dev/null; then echo yes; else echo no; fi; }
first_line() { local line=''; { read -r line <"$1"; } 2>/dev/null; printf '%s' "$line"; }
free_mib() { df -Pk "$1" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }'; }
timed() { if have timeout; then timeout -k 2 20 "$@"; else "$@"; fi; }

if [ -r /etc/os-release ]; then
  # shellcheck disable=SC1091
  (. /etc/os-release && fact os "${ID:-unknown}" && fact os_version "${VERSION_ID:-}")
else
  fact os "$(uname -s | tr '[:upper:]' '[:lower:]')"
fi
fact platform "$(uname -s)"
fact architecture "$(uname -m)"
kernel=$(uname -r)
fact kernel "$kernel"
# The line names the kernel first and the compiler last, in whatever words the distribution has for it.
fact kernel_gcc "$(sed 's/, GNU ld.*//' /proc/version 2>/dev/null | grep -o '[0-9][0-9]*\.[0-9][0-9]*\.[0-9]' | tail -n 1 | cut -d. -f1)"
fact boot_id "$(first_line /proc/sys/kernel/random/boot_id)"
fact user "$(id -un)"
fact root "$([ "$(id -u)" = 0 ] && echo yes || echo no)"
fact sudo "$(answer sudo -n true)"
fact systemd "$(answer test -d /run/systemd/system)"
fact cloud_init "$(answer have cloud-init)"
fact apt "$(answer have apt-get)"
fact emulated "$([ -e "${BERTH_ROOT:-}/etc/berth-emulated" ] || [ -e /etc/berth-emulated ] && echo yes || echo no)"
fact berth_root "${BERTH_ROOT:-}"
fact cpus "$(nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 0)"
fact memory_mib "$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo 2>/dev/null || echo 0)"

there=$folder
while [ ! -d "$there" ] && [ "$there" != / ]; do there=$(dirname "$there"); done
fact free_mib "$(free_mib "$there")"
fact root_free_mib "$(free_mib /)"

for device in "$sysfs"/bus/pci/devices/*; do
  if [ "$(first_line "$device/vendor")" = 0x10de ]; then
    driver=-
    if [ -e "$device/driver" ]; then driver=$(basename "$(readlink -f "$device/driver")"); fi
    number=$(first_line "$device/device") class=$(first_line "$device/class") board=$(first_line "$device/subsystem_device")
    fact pci "$(basename "$device") ${number#0x} ${class#0x} ${board#0x} $driver"
  fi
done
modules=$(if have lsmod; then lsmod; else cat /proc/modules; fi 2>/dev/null | cut -d' ' -f1)
loaded() { printf '%s\n' "$modules" | grep -qx "$1"; }
if loaded nvidia; then
  fact module loaded
  fact module_version "$(first_line "$sysfs/module/nvidia/version")"
else
  fact module absent
fi
for module in nouveau nova_core; do if loaded "$module"; then fact foreign_module "$module"; fi; done
if have mokutil; then
  case $(mokutil --sb-state 2>/dev/null) in *"SecureBoot enabled"*) fact secure_boot yes ;; *) fact secure_boot no ;; esac
fi
fact kernel_headers "$(answer test -e "/lib/modules/$kernel/build/Makefile")"
if have dpkg; then
  states=$(ls -A /var/lib/dpkg/updates 2>/dev/null; dpkg-query -W -f '${db:Status-Status}\n' 2>/dev/null | grep -E '^(half-|unpacked)')
  fact dpkg_interrupted "$([ -n "$states" ] && echo yes || echo no)"
fi

if have nvidia-smi; then
  query=index,name,uuid,memory.total,driver_version
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

if have lsblk; then
  # EC2's own model name of a disk that is part of the instance (docs.aws.amazon.com, "SSD instance store volumes").
  lsblk -dnbo PATH,SIZE,MODEL 2>/dev/null | grep 'EC2 NVMe Instance Storage' | while read -r path size _; do
    state=free
    # What an earlier run of ours left, alone or as part of an array, is ours to use.
    case $(lsblk -dnro LABEL "$path" 2>/dev/null) in berth-weights | *:berth-weights) ours=yes ;; *) ours=no ;; esac
    if [ "$ours" = yes ]; then :; elif [ "$(lsblk -nro NAME "$path" 2>/dev/null | wc -l)" -gt 1 ] || [ -n "$(lsblk -dnro FSTYPE,MOUNTPOINT "$path" 2>/dev/null | tr -d ' ')" ]; then state=used; fi
    fact instance_store "$path $size $state"
  done
fi
# The deep-learning images stripe the instance's own disks and mount them by themselves, with dlami-nvme.service.
if mountpoint -q /opt/dlami/nvme 2>/dev/null; then fact image_storage "/opt/dlami/nvme $(free_mib /opt/dlami/nvme)"; fi
fact weights_mounted "$(answer mountpoint -q "$folder/weights")"
if have python3; then
  # It takes most of the time of these facts to start, so it is started once.
  python3 -c '
import os, platform, sysconfig
print("python=" + platform.python_version())
headers = os.path.join(sysconfig.get_path("include", "posix_prefix"), "Python.h")
print("python_headers=" + ("yes" if os.path.exists(headers) else "no"))
try:
    import venv, ensurepip
    print("python_venv=yes")
except ImportError:
    print("python_venv=no")' 2>/dev/null
fi
fact compiler "$(if have gcc || have clang; then echo yes; else echo no; fi)"
# What is installed already needs no more room; an engine's own command is there last.
for path in "$folder"/python/lib/python3*/site-packages/torch-*.dist-info; do
  if [ -d "$path" ]; then path=${path##*/torch-}; fact torch "${path%.dist-info}"; fi
done
for path in "$folder"/engines/vllm-*/bin/vllm; do
  if [ -x "$path" ]; then path=${path#"$folder"/engines/vllm-}; fact vllm "${path%/bin/vllm}"; fi
done
fact docker "$(answer have docker)"
fact container_toolkit "$(answer have nvidia-ctk)"
exit 0
