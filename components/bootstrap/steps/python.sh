#!/usr/bin/env bash
# Makes a virtual environment with one build of PyTorch, and asks it for its own version.
# Usage: python.sh FOLDER TORCH_RELEASE INDEX_URL [PACKAGE...]
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
folder=$1 release=$2 index=$3
shift 3
cuda=${index##*/cu}
torch_there() {
  [ -x "$folder/bin/python" ] && "$folder/bin/python" - "$release" "$cuda" <<'PYTHON' 2>/dev/null
import importlib.metadata as metadata
import sys
version = metadata.version("torch")
sys.exit(not (version.startswith(sys.argv[1] + ".") and version.endswith("+cu" + sys.argv[2])))
PYTHON
}
if torch_there; then
  echo "@changed no"
  exit 0
fi
python3 -c 'import venv, ensurepip' || fail "Python 3 is not there, or cannot make virtual environments: install python3-venv"
# A virtual environment cannot be moved, so it is made in its place; the check above tells a half-made one.
python3 -m venv --clear "$folder"
"$folder/bin/python" -m pip install --disable-pip-version-check --no-input --quiet --retries 5 --index-url "$index" "torch==$release.*" "$@"
torch_there || fail "PyTorch $release for CUDA $cuda was installed and does not answer"
echo "@changed yes"
