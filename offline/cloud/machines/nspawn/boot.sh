#!/bin/sh
# Boots a machine's tree in a control group of its own.
# Usage: boot.sh NAME COMMAND...
set -eu
name=$1
shift
join() { # the control group file system, our group in it
  group=$1$2/berth-$name
  case $2 in / | *..*) group=$1/berth-$name ;; esac
  mkdir -p "$group" 2>/dev/null || return 0
  echo 0 >"$group/cgroup.procs" 2>/dev/null || rmdir "$group"
}
while IFS=: read -r _ controllers path; do
  case $controllers in
    '') if [ -f /sys/fs/cgroup/cgroup.procs ]; then join /sys/fs/cgroup "$path"; else join /sys/fs/cgroup/unified "$path"; fi ;;
    name=systemd) join /sys/fs/cgroup/systemd "$path" ;;
  esac
done </proc/self/cgroup
exec "$@"
