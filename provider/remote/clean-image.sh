#!/usr/bin/env bash
# Readies a host to become an image: what is its own, secret or of this run goes. Afterwards nobody can log in any more.
# Usage: clean-image.sh DATA_FOLDER
set -euo pipefail
folder=$1
root=${BERTH_ROOT:-}
as_root() { if [ "$(id -u)" = 0 ] || [ -n "$root" ]; then "$@"; else sudo -n "$@"; fi; }

if mountpoint -q "$folder/weights" 2>/dev/null; then
  # The instance's own disks are no part of an image, and its line must not wait for them.
  as_root umount "$folder/weights"
  as_root sed -i '/^LABEL=berth-weights /d' /etc/fstab
fi
rm -rf "${folder:?}"/{weights,steps,model-server,sync,storage.lock}
mkdir "$folder/weights"
as_root rm -rf "$root"/etc/berth "$root"/tmp/berth-* "$root"/run/berth-idle
if [ -n "$root" ]; then exit 0; fi

for timer in berth-deadline berth-idle; do
  as_root systemctl disable --quiet --now "$timer.timer" 2>/dev/null || true
  as_root rm -f "/etc/systemd/system/$timer".{service,timer} "/usr/local/sbin/$timer"
done
if command -v cloud-init >/dev/null; then as_root cloud-init clean --logs --seed; fi
as_root find /var/log -type f -exec truncate -s 0 {} +
as_root rm -rf /var/log/journal/* /var/lib/systemd/random-seed /var/lib/dhcp/*.leases
as_root find /root /home -xdev \( -name '.*_history' -o -path '*/.aws/*' -o -path '*/.cache/pip/*' \) -delete 2>/dev/null || true
as_root truncate -s 0 /etc/machine-id
# Last, since nobody logs in after it: a host key belongs to one machine, a login key to one run.
as_root find /root /home -xdev -path '*/.ssh/*' -type f -delete 2>/dev/null || true
as_root sh -c 'rm -f /etc/ssh/ssh_host_*_key*'
sync
