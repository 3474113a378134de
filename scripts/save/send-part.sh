#!/usr/bin/env bash
# Sends a part of a file to an address that was signed for exactly that, and prints the ETag of the answer:
# FILE FIRST-MIB MIB BYTES SHA256-BASE64 URL. The address is a secret for as long as it is good: it stays out of every
# process's arguments.
set -euo pipefail

file=$1 first=$2 mib=$3 bytes=$4 sum=$5 url=$6
command -v curl >/dev/null || { echo "the host has no curl" >&2; exit 3; }
answer=$(
  dd if="$file" bs=1M skip="$first" count="$mib" status=none |
    curl --silent --show-error --fail-with-body --connect-timeout 20 --speed-time 60 --speed-limit 1024 \
      --config <(printf 'url = "%s"\n' "$url") --upload-file - --output /dev/null --dump-header - \
      --header "Content-Length: $bytes" --header 'Transfer-Encoding:' --header 'Expect:' \
      --header "x-amz-checksum-sha256: $sum"
)
printf '%s\n' "$answer" | tr -d '\r' | sed -n 's/^[Ee][Tt][Aa][Gg]: *//p'
