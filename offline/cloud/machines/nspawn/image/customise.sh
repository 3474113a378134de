#!/bin/sh
# Turns a fresh Debian tree into the image of the emulated machines.
# Usage: customise.sh TREE FOLDER_OF_THIS_SCRIPT
set -eu
tree=$1 here=$2
cp "$here/90_berth.cfg" "$tree/etc/cloud/cloud.cfg.d/90_berth.cfg"
# Every machine makes its own, or is given them.
rm -f "$tree"/etc/ssh/ssh_host_*
: >"$tree/etc/machine-id"
rm -f "$tree/etc/hostname" "$tree/etc/resolv.conf"
: >"$tree/etc/resolv.conf"
mkdir -p "$tree/etc/systemd/system.conf.d" "$tree/etc/ssh/sshd_config.d"
# A machine that is told to stop must not wait for a hung service.
printf '[Manager]\nDefaultTimeoutStopSec=3s\n' >"$tree/etc/systemd/system.conf.d/berth.conf"
printf 'PasswordAuthentication no\nKbdInteractiveAuthentication no\nUseDNS no\n' >"$tree/etc/ssh/sshd_config.d/berth.conf"
# cloud-init restarts a server that runs when it sets who may log in, and would cut off the first logins.
mkdir -p "$tree/etc/systemd/system/ssh.service.d"
printf '[Unit]\nAfter=cloud-config.service\n' >"$tree/etc/systemd/system/ssh.service.d/berth.conf"
# What belongs to hardware, or would fetch from a network that is not there.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
  fstrim.timer console-getty.service getty@tty1.service systemd-pstore.service; do
  ln -sf /dev/null "$tree/etc/systemd/system/$unit"
done
rm -rf "$tree"/var/cache/apt/*.bin "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/* "$tree/debootstrap"
mkdir -p "$tree/var/lib/apt/lists/partial"
find "$tree/usr/share/doc" "$tree/usr/share/man" "$tree/usr/share/locale" -mindepth 1 -maxdepth 1 ! -name copyright -exec rm -rf {} +
