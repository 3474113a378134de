#!/usr/bin/env bash
# Brings another Python than the system's on Amazon Linux 2023, which has several beside each other.
# Usage: interpreter-dnf.sh COMMAND PACKAGE...
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
command=$1
ensure_packages "${@:2}"
"$command" -c 'import venv, ensurepip' || fail "no Python can be had: $command was installed and cannot make virtual environments"
echo "@changed $changed"
