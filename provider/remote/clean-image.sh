#!/usr/bin/env bash
# Readies a host to become an image: what is its own, secret or of this run goes, and of berth's folder only what was installed
# stays. Afterwards nobody can log in any more.
# Usage: clean-image.sh DATA_FOLDER
set -euo pipefail
folder=$1
root=${BERTH_ROOT:-}
as_root() { if [ "$(id -u)" = 0 ] || [ -n "$root" ]; then "$@"; else sudo -n "$@"; fi; }

if [ -z "$root" ]; then
  for unit in berth-model.service berth-notebook.service berth-deadline.timer berth-idle.timer; do
    as_root systemctl disable --quiet --now "$unit" 2>/dev/null || true
    as_root rm -f "/etc/systemd/system/${unit%.*}".{service,timer} "/usr/local/sbin/${unit%.*}"
  done
  # The instance's own disks are no part of an image, and its line must not wait for them.
  if mountpoint -q "$folder/weights" 2>/dev/null; then as_root umount "$folder/weights"; fi
  as_root sed -i '/^LABEL=berth-weights /d; /\/berth-weights .* bind,/d' /etc/fstab
fi
# Named is what stays, so that what a later version puts there goes.
as_root find "${folder:?}" -mindepth 1 -maxdepth 1 ! -name engines ! -name interpreters ! -name node ! -name python -exec rm -rf {} +
mkdir "$folder/weights"
as_root rm -rf "$root"/etc/berth "$root"/run/berth-idle "$root"/var/cache/berth-*
if [ -n "$root" ]; then
  rm -rf "$root"/tmp/berth-*
  exit 0
fi

if command -v cloud-init >/dev/null; then as_root cloud-init clean --logs --seed; fi
if command -v apt-get >/dev/null; then as_root apt-get -qq clean; fi
if command -v dnf >/dev/null; then as_root dnf -q clean packages >/dev/null; fi
# Tokens of the tools that people use lie in hidden files of their homes.
as_root find /root /home/* -xdev -mindepth 1 -maxdepth 1 -name '.*' ! -name .ssh ! -name .profile ! -name .bashrc \
  ! -name .bash_profile ! -name .bash_logout -exec rm -rf {} + 2>/dev/null || true
as_root find /tmp /var/tmp /var/crash /var/spool/cron/crontabs /var/mail /var/lib/wtmpdb /var/lib/lastlog -xdev -mindepth 1 \
  -exec rm -rf {} + 2>/dev/null || true
as_root sh -c 'rm -rf /var/lib/systemd/random-seed /var/lib/systemd/credential.secret /var/lib/dhcp/*.leases /var/lib/amazon/ssm/i-*'
as_root sh -c 'rm -rf /var/log/journal/*'
as_root find /var/log -type f -exec truncate -s 0 {} +
# systemd fills an empty machine-id from the copy that D-Bus has, where it has one.
as_root truncate -s 0 /etc/machine-id
as_root rm -f /var/lib/dbus/machine-id
# Last, since nobody logs in after it: a host key belongs to one machine, a login key to one run.
as_root find /root /home -xdev -path '*/.ssh/*' -type f -delete 2>/dev/null || true
as_root sh -c 'rm -f /etc/ssh/ssh_host_*_key*'
sync
