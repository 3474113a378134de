#!/usr/bin/env bash
# Installs vLLM at one version into a virtual environment of its own. Not yet run on a GPU host.
# Usage: vllm.sh DATA_FOLDER VERSION
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
folder=$1 version=$2
venv=$folder/engines/vllm-$version
vllm_version() { "$venv/bin/python" -c 'import importlib.metadata as m; print(m.version("vllm"))' 2>/dev/null || true; }
if [ -x "$venv/bin/vllm" ] && [ "$(vllm_version)" = "$version" ]; then
  echo "@changed no"
  exit 0
fi
# The check above tells a half-made one.
make_environment "$venv"
pip_install "$venv" "vllm==$version"
"$venv/bin/python" -c 'import vllm'
echo "@changed yes"
