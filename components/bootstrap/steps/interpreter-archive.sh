#!/usr/bin/env bash
# Brings another Python than the system's: one that needs nothing of the system, from an archive that is known by its sum.
# Usage: interpreter-archive.sh FOLDER URL SHA256
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
folder=$1 url=$2 sha256=$3
works() { "$1/bin/python3" -c 'import ensurepip, ssl, venv' 2>/dev/null; }
none() { fail "no Python can be had: $url $*"; }
if works "$folder"; then
  echo "@changed no"
  exit 0
fi
have curl || none "is not fetched: there is no curl"
making=$folder.making
rm -rf "$making"
mkdir -p "$making"
trap 'rm -rf "$making"' EXIT
say "fetching $url"
for ((try = 1; ; try++)); do
  status=0
  answer=$(curl -sSL --connect-timeout 30 --max-time 900 -o "$making/archive" -w '%{http_code}' "$url" 2>"$making/says") || status=$?
  if [ "$status" = 0 ] && [ "$answer" = 200 ]; then break; fi
  # What is not there now is not there in a minute.
  if [ "$try" = 3 ] || [[ "$answer" = 4* ]]; then
    case $status in
      0) none "answers with status $answer" ;;
      18 | 56 | 92) none "was cut off $try times, the last time after $(stat -c %s "$making/archive") bytes" ;;
      35 | 51 | 60) none "is not believed: $(tail -n 1 "$making/says")" ;;
      *) none "cannot be reached (status $status of curl)" ;;
    esac
  fi
  say "it did not come (status $status of curl, answer $answer); trying again in $((retry_seconds * try)) s"
  sleep $((retry_seconds * try))
done
got=$(sha256sum "$making/archive" | cut -d' ' -f1)
if [ "$got" != "$sha256" ]; then none "gave a file with SHA-256 $got, and $sha256 is pinned"; fi
tar -xzf "$making/archive" -C "$making"
works "$making/python" || fail "no Python can be had: the one of $url does not run here: $("$making/python/bin/python3" -V 2>&1 | tail -n 1)"
rm -rf "$folder"
mv "$making/python" "$folder"
echo "@changed yes"
