#!/usr/bin/env bash
# Installs vLLM at one version, with what it needs in another version than its newest, into a virtual environment of its own.
# Not yet run on a GPU host.
# Usage: vllm.sh DATA_FOLDER PYTHON VERSION [PACKAGE==VERSION...]
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
folder=$1 interpreter=$2 version=$3
venv=$folder/engines/vllm-$version
packages=("vllm==$version" "${@:4}")
if [ -x "$venv/bin/vllm" ] && packages_there "$venv" "${packages[@]}"; then
  echo "@changed no"
  exit 0
fi
# Tried before gigabytes are fetched: Triton builds its launchers when the server starts, with this compiler and these headers.
compiler=$(command -v gcc || command -v clang) || fail "vLLM builds kernels on the host, and no C compiler is there"
headers=$("$interpreter" -c 'import sysconfig; print(sysconfig.get_path("include", "posix_prefix"))')
"$compiler" -fsyntax-only -I "$headers" -x c - <<<'#include <Python.h>'
# The check above tells a half-made one.
make_environment "$venv" "$interpreter"
pip_install "$venv" "${packages[@]}"
"$venv/bin/python" -c 'import vllm'
echo "@changed yes"
