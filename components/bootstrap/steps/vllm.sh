#!/usr/bin/env bash
# Installs vLLM at one version into a virtual environment of its own. Not yet run on a GPU host.
# Usage: vllm.sh DATA_FOLDER VERSION
set -euo pipefail
folder=$1 version=$2
venv=$folder/engines/vllm-$version
if [ -x "$venv/bin/vllm" ] && [ "$("$venv/bin/python" -c 'import importlib.metadata as m; print(m.version("vllm"))')" = "$version" ]; then
  echo "@changed no"
  exit 0
fi
command -v python3 >/dev/null || { echo "python3 is missing" >&2; exit 1; }
# A virtual environment cannot be moved, so it is made in its place; the check above tells a half-made one.
python3 -m venv --clear "$venv"
"$venv/bin/python" -m pip install --disable-pip-version-check --quiet --retries 5 "vllm==$version"
"$venv/bin/python" -c 'import vllm'
echo "@changed yes"
