#!/usr/bin/env bash
# Takes a machine for one deployment: two would stop each other's server.
# Usage: claim-host.sh claim FOLDER STACK RUN_ID    prints a number that is the machine's own
#        claim-host.sh look FOLDER STACK RUN_ID     prints the same, or ends with 4 when the machine is not ours
set -euo pipefail
action=$1 folder=$2 wanted="$3 $4"
record=$folder/deployment

if [ "$action" = claim ]; then
  (set -C && printf '%s\n' "$wanted" >"$record") 2>/dev/null || true
fi
held=$(cat "$record" 2>/dev/null || true)
if [ "$held" != "$wanted" ]; then
  echo "E_TAKEN ${held:-nobody}" >&2
  exit 4
fi
# A machine in a folder has no number of its own, and takes that of its folder.
(cat "${BERTH_ROOT:-}/etc/machine-id" 2>/dev/null || printf '%s %s' "$(hostname)" "${BERTH_ROOT:-}") | sha256sum | cut -c1-16
