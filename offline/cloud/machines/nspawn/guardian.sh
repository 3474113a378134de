#!/bin/sh
# Runs the keeper of one machine in process and mount namespaces of its own. When the keeper ends, however it ends, the
# kernel ends every process of the machine and drops its mounts and its network with them; the rest is removed here.
# Usage: guardian.sh FOLDER NAME COMMAND...
folder=$1 name=$2
shift 2
trap '' INT TERM HUP
unshare --mount --propagation private --pid --fork --kill-child --mount-proc -- "$@"
status=$?
rm -rf "$folder"
# systemd's control groups outlive its processes; the deepest are removed first. A killed process may take a moment.
for _ in 1 2 3 4 5 6 7 8 9 10; do
  left=$(find /sys/fs/cgroup -depth -type d -path "*/berth-$name*" 2>/dev/null)
  [ -n "$left" ] || break
  printf '%s\n' "$left" | while IFS= read -r group; do rmdir "$group" 2>/dev/null; done
  sleep 0.1
done
exit "$status"
