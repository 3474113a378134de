#!/usr/bin/env bash
# Makes a folder that the login user can write to, with sudo where it needs to.
# Usage: ensure-folder.sh PATH      prints: the path, with $BERTH_ROOT put in front where the host has one
set -euo pipefail
path=$1
root=${BERTH_ROOT:-}
# shellcheck disable=SC2016  # the text `$BERTH_ROOT` itself is meant
case $path in
  '$BERTH_ROOT'*) path=$root${path#'$BERTH_ROOT'} ;;
  "$root"/*) ;;
  *) path=$root$path ;;
esac
if ! mkdir -p "$path" 2>/dev/null || [ ! -w "$path" ]; then
  if [ "$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null; then
    echo "$(id -un) may not write to $path on this host, and has no passwordless sudo to change that" >&2
    exit 1
  fi
  sudo -n mkdir -p "$path"
  sudo -n chown "$(id -u):$(id -g)" "$path"
fi
printf '%s\n' "$path"
