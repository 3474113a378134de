#!/usr/bin/env bash
# Makes one file system of the instance's own disks and mounts it where the weights go. It formats only disks that carry
# nothing, and mounts only over an empty folder.
# Usage: storage.sh FOLDER DISK...
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
folder=$1
shift
array=/dev/md/berth-weights label=berth-weights

exec 8>"${folder%/*}/storage.lock"
flock -w 120 8 || fail "another run is setting up the disks"
if mountpoint -q "$folder"; then
  echo "@changed no"
  exit 0
fi
if [ -n "$(ls -A "$folder" 2>/dev/null)" ]; then
  warn "weights are in $folder already, on the root disk: the instance's own disks stay unused"
  echo "@changed no"
  exit 0
fi
for disk in "$@"; do
  [ -b "$disk" ] || fail "$disk is not a disk"
  if [ -n "$(as_root wipefs --noheadings "$disk")" ]; then fail "$disk carries something already and is left alone"; fi
done
target=$1
if [ $# -gt 1 ]; then
  have mdadm || ensure_packages mdadm
  say "striping $*"
  as_root mdadm --create "$array" --run --level=0 --raid-devices=$# "$@"
  target=$array
fi
say "making a file system on $target"
# Blocks are not zeroed and not discarded: the disk is new, and a discard of terabytes takes minutes.
as_root mkfs.ext4 -q -m 0 -L "$label" -E nodiscard,lazy_itable_init=1 "$target"
as_root mkdir -p "$folder"
as_root mount -o noatime "$target" "$folder"
# The disk keeps its content over a reboot, and not over a stop: then it is not there, and must not hold up the boot.
if ! grep -q "^LABEL=$label " /etc/fstab; then
  printf 'LABEL=%s %s ext4 noatime,nofail,x-systemd.device-timeout=30 0 0\n' "$label" "$folder" | as_root tee -a /etc/fstab >/dev/null
fi
as_root chown "$(id -u):$(id -g)" "$folder"
as_root rmdir "$folder/lost+found" 2>/dev/null || true
mountpoint -q "$folder" || fail "$target could not be mounted on $folder"
echo "@changed yes"
