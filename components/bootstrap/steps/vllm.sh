#!/usr/bin/env bash
# Installs vLLM at one version, with what it needs in another version than its newest, into a virtual environment of its own.
# Not yet run on a GPU host.
# Usage: vllm.sh DATA_FOLDER VERSION [PACKAGE==VERSION...]
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
folder=$1 version=$2
venv=$folder/engines/vllm-$version
packages=("vllm==$version" "${@:3}")
if [ -x "$venv/bin/vllm" ] && packages_there "$venv" "${packages[@]}"; then
  echo "@changed no"
  exit 0
fi
# The check above tells a half-made one.
make_environment "$venv"
pip_install "$venv" "${packages[@]}"
"$venv/bin/python" -c 'import vllm'
echo "@changed yes"
