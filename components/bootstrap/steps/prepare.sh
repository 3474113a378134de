#!/usr/bin/env bash
# Waits until the machine has set itself up, keeps automatic upgrades away while we install, makes the data folder.
# Usage: prepare.sh DATA_FOLDER
# Lines for the caller begin with `@changed` or `@warning`.
set -euo pipefail
folder=$1
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
can_root() { [ -z "${BERTH_ROOT:-}" ] && as_root true 2>/dev/null; }
changed=no

if command -v cloud-init >/dev/null; then
  echo "waiting for cloud-init"
  status=0
  cloud-init status --wait || status=$?
  case $status in
    0) ;;
    2) echo "@warning cloud-init ended with recoverable errors; see /var/log/cloud-init.log" ;;
    *)
      echo "cloud-init failed with status $status" >&2
      cloud-init status --long >&2 || true
      exit 1
      ;;
  esac
fi

# check -> apply -> verify: only a timer that is active is stopped, so that a second run changes nothing.
if [ -d /run/systemd/system ] && can_root; then
  for unit in apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service; do
    if systemctl is-active --quiet "$unit"; then
      echo "stopping $unit"
      as_root systemctl stop "$unit"
      if systemctl is-active --quiet "$unit"; then
        echo "$unit does not stop" >&2
        exit 1
      fi
      changed=yes
    fi
  done
fi

for part in "$folder" "$folder/steps" "$folder/node" "$folder/engines" "$folder/weights"; do
  if [ ! -d "$part" ]; then
    echo "making $part"
    mkdir -p "$part"
    changed=yes
  fi
  if [ ! -w "$part" ]; then
    echo "$part cannot be written to by $(id -un)" >&2
    exit 1
  fi
done
echo "@changed $changed"
