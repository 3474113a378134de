#!/usr/bin/env bash
# Waits until the machine has set itself up, keeps automatic upgrades away while we install, makes the data folder.
# Usage: prepare.sh DATA_FOLDER
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
folder=$1

# A boot that ended without errors says so in a file; cloud-init itself takes a second to read it.
boot_is_clean() {
  grep -qs '"errors": \[\]' /run/cloud-init/result.json && ! grep -qs '"recoverable_errors": {$' /run/cloud-init/status.json
}
if have cloud-init && { [ -n "${BERTH_ROOT:-}" ] || ! boot_is_clean; }; then
  say "waiting for cloud-init"
  status=0
  cloud-init status --wait || status=$?
  case $status in
    0) ;;
    2) warn "cloud-init ended with recoverable errors; see /var/log/cloud-init.log" ;;
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
      say "stopping $unit"
      as_root systemctl stop "$unit"
      if systemctl is-active --quiet "$unit"; then fail "$unit does not stop"; fi
      changed=yes
    fi
  done
fi

for part in "$folder" "$folder/steps" "$folder/node" "$folder/engines" "$folder/weights"; do
  if [ ! -d "$part" ]; then
    say "making $part"
    mkdir -p "$part"
    changed=yes
  fi
  if [ ! -w "$part" ]; then fail "$part cannot be written to by $(id -un)"; fi
done
echo "@changed $changed"
