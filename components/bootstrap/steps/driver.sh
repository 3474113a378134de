#!/usr/bin/env bash
# Verifies a driver that is installed, and loads its modules; it installs nothing.
# Usage: driver.sh preinstalled EMULATED      EMULATED is yes or no
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
emulated=$2
if [ "$emulated" = no ]; then load_driver; fi
check_driver
echo "@changed $changed"
