#!/usr/bin/env bash
# Lists files with the SHA-256 of each part of theirs: MIB-OF-A-PART PATH...
# A line a file, fields with tabs between: size, path, then a sum a part.
set -euo pipefail

part_mib=$1
shift
for root in "$@"; do
  [ -e "$root" ] || { echo "there is no $root on the host" >&2; exit 3; }
done
find -L "$@" -type f -print0 | sort -z | while IFS= read -r -d '' file; do
  case $file in
    *$'\t'* | *$'\n'*) echo "a file's name has a tab or a line's end in it: $file" >&2; exit 3 ;;
  esac
  size=$(stat -L -c %s -- "$file")
  printf '%s\t%s' "$size" "$file"
  at=0
  while :; do
    sum=$(dd if="$file" bs=1M skip="$at" count="$part_mib" status=none | sha256sum | cut -c1-64)
    printf '\t%s' "$sum"
    at=$((at + part_mib))
    [ $((at * 1048576)) -lt "$size" ] || break
  done
  printf '\n'
done
