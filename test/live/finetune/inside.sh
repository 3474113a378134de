#!/usr/bin/env bash
# Runs a command in the tree, with a folder as /work. Whoever kills this process kills all that it started.
# Usage: inside.sh TREE FOLDER COMMAND...
set -euo pipefail
export TREE=$1 FOLDER=$2
shift 2
# shellcheck disable=SC2016  # expanded in the new namespaces
exec unshare --mount --pid --uts --ipc --fork --kill-child bash -c '
  mount --bind "$FOLDER" "$TREE/work"
  mount -t proc proc "$TREE/proc"
  mount -t tmpfs tmpfs "$TREE/dev/shm"
  hostname localhost
  exec chroot "$TREE" env -i HOME=/root LANG=C.UTF-8 PATH=/venv/bin:/usr/bin:/bin OMP_NUM_THREADS=1 USE_LIBUV=0 \
    HF_HUB_OFFLINE=1 HF_DATASETS_CACHE=/work/cache GPUS="${GPUS:-1}" \
    STOP_AT="${STOP_AT:-}" ${NNODES:+NNODES="$NNODES" NODE_RANK="$NODE_RANK" MASTER_ADDR=127.0.0.1 MASTER_PORT="$MASTER_PORT"} "$@"' inside "$@"
