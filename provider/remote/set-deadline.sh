#!/usr/bin/env bash
# Moves or shows the host's own deadline, and whether its timers may end it; they look every minute.
# Usage: set-deadline.sh SECONDS_SINCE_1970 | none | show | protect | unprotect | protected
set -euo pipefail
folder=${BERTH_ROOT:-}/etc/berth
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

case $1 in
show) if [ -e "$folder/deadline" ]; then cat "$folder/deadline"; fi ;;
protected) if [ -e "$folder/protected" ]; then echo true; else echo false; fi ;;
protect)
  as_root mkdir -p "$folder"
  as_root touch "$folder/protected"
  ;;
unprotect) as_root rm -f "$folder/protected" ;;
none) as_root rm -f "$folder/deadline" ;;
*)
  as_root mkdir -p "$folder"
  # Renamed into place: the timer must never read half a number.
  as_root tee "$folder/deadline.new" >/dev/null <<<"$1"
  as_root mv -f "$folder/deadline.new" "$folder/deadline"
  ;;
esac
