#!/usr/bin/env bash
# Mounts the instance's own disks where the weights go: one file system of them all, or a folder on the one that the image has
# made. It formats only disks that carry nothing, and mounts only over an empty folder.
# Usage: storage.sh FOLDER DISK... | storage.sh FOLDER MOUNT_OF_THE_IMAGE
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
folder=$1
shift
label=berth-weights array=/dev/md/berth-weights

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

# The disks keep their content over a reboot, and not over a stop: then what is mounted here is not there, and must not hold up
# the boot. The next run of this step makes it anew.
remember() {
  if ! grep -qxF "$1" /etc/fstab; then printf '%s\n' "$1" | as_root tee -a /etc/fstab >/dev/null; fi
}

# A disk of this step's own: of a run that was cut off, or of a boot that did not mount it. Of an array it has the array's name.
label_of() { as_root blkid -o value -s LABEL "$1" 2>/dev/null || true; }
ours() { case $(label_of "$1") in "$label" | *":$label") ;; *) return 1 ;; esac }

make_array() {
  have mdadm || ensure_packages mdadm
  if [ -b "$array" ]; then return 0; fi
  if ours "$1" && as_root mdadm --assemble --run "$array" "$@"; then return 0; fi
  say "striping $*"
  as_root mdadm --create "$array" --run --level=0 --raid-devices=$# "$@" || fail "the disks could not be made one: $*"
}

make_file_system() {
  local disk target
  for disk in "$@"; do
    [ -b "$disk" ] || fail "$disk is not a disk"
    if ! ours "$disk" && [ -n "$(as_root wipefs --noheadings "$disk")" ]; then fail "$disk carries something already and is left alone"; fi
  done
  target=$(as_root blkid -L "$label" || true)
  if [ -z "$target" ] && [ $# -gt 1 ]; then
    make_array "$@"
    target=$array
  fi
  target=${target:-$1}
  if [ "$(label_of "$target")" != "$label" ]; then
    say "making a file system on $target"
    # Blocks are not zeroed and not discarded: the disk is new, and a discard of terabytes takes minutes.
    as_root mkfs.ext4 -q -m 0 -L "$label" -E nodiscard,lazy_itable_init=1 "$target"
  fi
  as_root mount -o noatime "$target" "$folder"
  as_root rmdir "$folder/lost+found" 2>/dev/null || true
  remember "LABEL=$label $folder ext4 noatime,nofail,x-systemd.device-timeout=30 0 0"
}

share_file_system() {
  mountpoint -q "$1" || fail "nothing is mounted on $1 any more"
  say "taking a folder of $1"
  as_root mkdir -p "$1/$label"
  as_root mount --bind "$1/$label" "$folder"
  # The unit of AWS's deep-learning images that makes it, at every boot.
  remember "$1/$label $folder none bind,nofail,x-systemd.after=dlami-nvme.service 0 0"
}

as_root mkdir -p "$folder"
if [ -d "$1" ]; then share_file_system "$1"; else make_file_system "$@"; fi
as_root chown "$(id -u):$(id -g)" "$folder"
mountpoint -q "$folder" || fail "nothing could be mounted on $folder"
echo "@changed yes"
