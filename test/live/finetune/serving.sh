#!/usr/bin/env bash
# Stands for a serving image: the server for transformers on the CPU, in the tree with PyTorch, with what is in SM_MODEL_DIR.
# Usage: serving.sh TREE ENGINE SERVE
set -euo pipefail
export TREE=$1 ENGINE=$2 SERVE=$3
# shellcheck disable=SC2016  # expanded in the new namespace
exec unshare --mount --pid --fork --kill-child bash -c '
  mount -t tmpfs tmpfs "$TREE/mnt"
  mkdir "$TREE/mnt"/{engine,model}
  mount --bind "$ENGINE" "$TREE/mnt/engine"
  mount --bind "$SM_MODEL_DIR" "$TREE/mnt/model"
  cp "$SERVE" "$TREE/mnt/serve.py"
  mount -t proc proc "$TREE/proc"
  exec chroot "$TREE" env -i HOME=/root LANG=C.UTF-8 PATH=/venv/bin:/usr/bin:/bin OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 PYTHONDONTWRITEBYTECODE=1 \
    python3 /mnt/serve.py /mnt/engine /mnt/model "$SAGEMAKER_BIND_TO_PORT"'
