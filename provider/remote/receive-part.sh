#!/usr/bin/env bash
# Takes one file of the weights from standard input, from where an earlier try stopped, and puts it in place once it is whole.
# Usage: receive-part.sh size FOLDER SHA256              prints the bytes that are there of it
#        receive-part.sh take FOLDER SHA256              appends standard input
#        receive-part.sh place FOLDER SHA256 PATH        ends with 3, and forgets what is there, when it is damaged
set -euo pipefail
action=$1 folder=$2 sha256=$3
part=$folder/.copy/$sha256
mkdir -p "$folder/.copy"
case $action in
  size) if [ -f "$part" ]; then wc -c <"$part" | tr -d ' '; else echo 0; fi ;;
  take) cat >>"$part" ;;
  place)
    if [ "$(sha256sum "$part" | cut -d' ' -f1)" != "$sha256" ]; then
      rm -f "$part"
      exit 3
    fi
    mkdir -p "$(dirname "$folder/$4")"
    mv -f "$part" "$folder/$4"
    ;;
esac
