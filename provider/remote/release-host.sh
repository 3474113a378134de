#!/usr/bin/env bash
# Gives a machine back: stops what a cut-off run left running, removes berth's own files, and says what stays.
# Usage: release-host.sh FOLDER STACK RUN_ID      lines `@stays TEXT`; ends with 4 when another deployment has the machine
set -euo pipefail
folder=$1 wanted="$2 $3"
root=${BERTH_ROOT:-}
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
stays() { printf '@stays %s\n' "$*"; }

held=$(cat "$folder/deployment" 2>/dev/null || true)
if [ -n "$held" ] && [ "$held" != "$wanted" ]; then
  echo "E_TAKEN $held" >&2
  exit 4
fi
if [ -z "$held" ]; then
  rmdir "$folder" 2>/dev/null || as_root rmdir "$folder" 2>/dev/null || true
  exit 0
fi

for step in "$folder"/steps/*/; do
  if [ -f "$step/exit" ] || [ ! -f "$step/process" ]; then continue; fi
  if [ -f "$step/unit" ]; then as_root systemctl stop "$(cat "$step/unit")" 2>/dev/null || true; fi
  read -r pid _ boot <"$step/process" || continue
  if [ "$boot" = "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo none)" ]; then kill -TERM -- "-$pid" 2>/dev/null || true; fi
done

# A file system of its own stays where it is; what berth put on it goes.
if mountpoint -q "$folder/weights" 2>/dev/null; then
  stays "the file system on $folder/weights, empty (its line is in /etc/fstab)"
  find "$folder/weights" -mindepth 1 -delete
else
  rm -rf "$folder/weights"
fi
for part in steps node engines sync python model-server storage.lock; do rm -rf "${folder:?}/$part"; done

if [ -z "$root" ] && [ -d /run/systemd/system ] && as_root true 2>/dev/null; then
  # They were stopped while packages were installed, and not switched off.
  for unit in apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service; do
    if systemctl is-enabled --quiet "$unit" 2>/dev/null; then as_root systemctl start "$unit" 2>/dev/null || true; fi
  done
fi
# What shows that berth installed a driver is that its packages are held.
if [ -z "$root" ] && command -v apt-mark >/dev/null; then
  kept=$(apt-mark showhold | grep -E '^(lib)?nvidia-|^linux-(image|headers|modules)' | sort | tr '\n' ' ' || true)
  if [ -n "$kept" ]; then stays "the driver and its kernel, which are kept from upgrades: ${kept% }"; fi
fi
for file in etc/apt/sources.list.d/berth-nvidia.sources etc/apt/preferences.d/berth-nvidia etc/yum.repos.d/berth-nvidia.repo \
  etc/modprobe.d/berth-nouveau.conf etc/modprobe.d/berth-nova_core.conf etc/dkms/nvidia.conf; do
  if [ -e "$root/$file" ]; then stays "/$file, which belongs to the driver"; fi
done
if [ -z "$root" ] && command -v nvidia-ctk >/dev/null; then stays "NVIDIA's container toolkit"; fi

rm -f "$folder/deployment"
rmdir "$folder" 2>/dev/null || as_root rmdir "$folder" 2>/dev/null || true
if [ -d "$folder" ]; then stays "$folder: it holds files that are not berth's"; fi
