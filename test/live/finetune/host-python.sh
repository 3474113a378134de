#!/usr/bin/env bash
# Stands for the Python of a job's folder on a host: that of the tree, with the folder of all hosts at its own place, in the working
# directory and with the environment of its caller. Whoever kills this process kills all that it started.
# Usage: host-python.sh TREE FOLDER WORDS...
set -euo pipefail
export TREE=$1 FOLDER=$2 AT=$PWD
shift 2
# shellcheck disable=SC2016  # expanded in the new namespaces
exec unshare --mount --pid --uts --ipc --fork --kill-child bash -c '
  mount -t tmpfs tmpfs "$TREE/work"
  mkdir "$TREE/work/upper" "$TREE/work/over" "$TREE/work/root"
  mount -t overlay overlay -o "lowerdir=$TREE,upperdir=$TREE/work/upper,workdir=$TREE/work/over" "$TREE/work/root"
  root=$TREE/work/root
  mkdir -p "$root$FOLDER"
  mount --bind "$FOLDER" "$root$FOLDER"
  mount -t proc proc "$root/proc"
  mount --bind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/dev/shm"
  hostname localhost
  chroot=$(command -v chroot)
  export PATH=/venv/bin:/usr/bin:/bin LANG=C.UTF-8 OMP_NUM_THREADS=1 USE_LIBUV=0
  exec "$chroot" "$root" bash -c "cd \"\$AT\" && exec python3 \"\$@\"" python "$@"' python "$@"
