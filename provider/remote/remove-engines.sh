#!/usr/bin/env bash
# Removes the releases of vLLM beside the one that serves, and what a cut-off install left.
# Usage: remove-engines.sh DATA_FOLDER VERSION      prints each that is gone, a line
set -euo pipefail
folder=$1 kept=vllm-$2
for path in "$folder"/engines/vllm-*; do
  name=${path##*/}
  if [ ! -d "$path" ] || [ "$name" = "$kept" ]; then continue; fi
  rm -rf "$path"
  echo "$name"
done
