#!/usr/bin/env bash
# Stands for AWS's training image: the tree with PyTorch, and the job's folder as /opt/ml. What a job installs goes with it.
# It becomes its command without a process between, so that signals reach that.
# Usage: container.sh TREE COMMAND...
set -euo pipefail
export TREE=$1 ML=$SAGEMAKER_BASE_DIR
shift
words=()
for word in "$@"; do words+=("${word/#$ML//opt/ml}"); done
# shellcheck disable=SC2016  # expanded in the new namespace
exec unshare --mount bash -c '
  set -e
  own=$ML/tmp/own
  mkdir -p "$own"
  mount -t tmpfs tmpfs "$own"
  mkdir "$own"/{upper,work,root}
  mount -t overlay overlay -o "lowerdir=$TREE,upperdir=$own/upper,workdir=$own/work" "$own/root"
  mkdir -p "$own/root/opt/ml"
  mount --bind "$ML" "$own/root/opt/ml"
  # What a channel mounts is a link to it.
  for channel in "$ML"/input/data/*; do
    if [ ! -L "$channel" ]; then continue; fi
    target=$(readlink "$channel")
    mkdir -p "$own/root$target"
    mount --bind "$target" "$own/root$target"
  done
  mount --bind /proc "$own/root/proc"
  mount --bind /dev "$own/root/dev"
  mount -t tmpfs tmpfs "$own/root/dev/shm"
  chroot=$(command -v chroot)
  export SAGEMAKER_BASE_DIR=/opt/ml TMPDIR=/tmp HOME=/root LANG=C.UTF-8 PATH=/venv/bin:/usr/bin:/bin
  export OMP_NUM_THREADS=1 USE_LIBUV=0 HF_HUB_OFFLINE=1 GPUS=1
  exec "$chroot" "$own/root" "$@"' container "${words[@]}"
