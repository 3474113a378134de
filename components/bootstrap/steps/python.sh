#!/usr/bin/env bash
# Makes a virtual environment with one build of PyTorch and the packages of an engine, and asks it for their versions.
# Usage: python.sh FOLDER PYTHON TORCH_RELEASE INDEX_URL [PACKAGE==VERSION...]
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
folder=$1 interpreter=$2 release=$3 index=$4
shift 4
build=${index##*/}
torch_there() {
  [ -x "$folder/bin/python" ] && "$folder/bin/python" - "$release" "$build" <<'PYTHON' 2>/dev/null
import importlib.metadata as metadata
import sys
version = metadata.version("torch")
sys.exit(not (version.startswith(sys.argv[1] + ".") and version.endswith("+" + sys.argv[2])))
PYTHON
}
if torch_there && packages_there "$folder" "$@"; then
  echo "@changed no"
  exit 0
fi
if ! torch_there; then
  # The check above tells a half-made one.
  make_environment "$folder" "$interpreter"
  pip_install "$folder" --index-url "$index" "torch==$release.*"
  torch_there || fail "PyTorch $release ($build) was installed and does not answer"
fi
if [ $# -gt 0 ]; then
  # Nothing that is installed beside it may bring another PyTorch.
  "$folder/bin/python" -c 'import importlib.metadata as m; print("torch==" + m.version("torch"))' >"$folder/torch.txt"
  pip_install "$folder" --constraint "$folder/torch.txt" "$@"
  if ! torch_there || ! packages_there "$folder" "$@"; then fail "$* were installed and do not answer"; fi
fi
echo "@changed yes"
