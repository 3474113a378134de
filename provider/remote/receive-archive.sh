#!/usr/bin/env bash
# Takes a .gz of one file, or a .tar.gz of one folder, from standard input, unless it is there already.
# Usage: receive-archive.sh file|folder TARGET SHA256
# Prints `have`, or `send` once it holds the lock and reads, then `done`. The lock lets several senders run side by side.
set -euo pipefail
kind=$1 target=$2 sha256=$3
mkdir -p "$(dirname "$target")"
exec 9>"$target.lock"
if command -v flock >/dev/null; then flock -w 900 9; fi
if [ -e "$target" ] && [ "$(cat "$target.sha256" 2>/dev/null)" = "$sha256" ]; then
  echo have
  exit 0
fi
making=$target.making
rm -rf "$making" "$making.gz" "$target.old"
trap 'rm -rf "$making" "$making.gz"' EXIT
echo send
cat >"$making.gz"
got=$( (sha256sum "$making.gz" 2>/dev/null || shasum -a 256 "$making.gz") | cut -d' ' -f1)
if [ "$got" != "$sha256" ]; then
  echo "what arrived is damaged: SHA-256 $got" >&2
  exit 1
fi
if [ "$kind" = file ]; then
  gzip -dc "$making.gz" >"$making"
  chmod 755 "$making"
else
  mkdir "$making"
  tar -xzf "$making.gz" -C "$making" --strip-components=1
fi
rm -f "$target.sha256"
if [ -e "$target" ]; then mv "$target" "$target.old"; fi
mv "$making" "$target"
echo "$sha256" >"$target.sha256"
rm -rf "$target.old"
echo "done"
