#!/usr/bin/env bash
# Finds a Node that is new enough, on the PATH or in the data folder.
# Usage: probe-node.sh DATA_FOLDER      prints: `have PATH VERSION` or `none PLATFORM ARCHITECTURE`
set -euo pipefail
for node in "$1/node/bin/node" "$(command -v node || true)"; do
  if [ -n "$node" ] && [ -x "$node" ]; then
    version=$("$node" --version 2>/dev/null || true)
    major=${version#v}
    major=${major%%.*}
    case $major in '' | *[!0-9]*) continue ;; esac
    if [ "$major" -ge 22 ]; then
      echo "have $node $version"
      exit 0
    fi
  fi
done
echo "none $(uname -s) $(uname -m)"
