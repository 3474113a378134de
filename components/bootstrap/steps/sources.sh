#!/usr/bin/env bash
# Brings the package lists up to date; adds NVIDIA's repository where the distribution has no current driver; installs what
# other steps need at once.
# Usage: sources.sh FIRST own | sources.sh FIRST nvidia URL KEYRING_SHA256 [PACKAGE...]      FIRST is packages, or empty
# With packages named, only those are taken from NVIDIA's repository: a driver of two archives does not fit together.
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
read -ra first <<<"$1"
kind=$2
list=/etc/apt/sources.list.d/berth-nvidia.sources
keyring=/usr/share/keyrings/berth-nvidia.gpg
finish_dpkg

if [ "$kind" = nvidia ]; then
  url=$3 sha256=$4
  shift 4
  wanted=$(printf 'Types: deb\nURIs: %s\nSuites: ./\nSigned-By: %s\n' "$url" "$keyring")
  if [ ! -s "$keyring" ]; then
    # The package that carries the key is checked against its sum, and only the key is taken from it: what else it would
    # set up is written here, for the address that was asked for.
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    say "fetching the key of $url"
    if have curl; then
      curl -fsSL --retry 3 --max-time 120 -o "$work/keyring.deb" "$url/cuda-keyring_1.1-1_all.deb"
    else
      python3 -c 'import sys, urllib.request; urllib.request.urlretrieve(sys.argv[1], sys.argv[2])' "$url/cuda-keyring_1.1-1_all.deb" "$work/keyring.deb"
    fi
    got=$(sha256sum "$work/keyring.deb" | cut -d' ' -f1)
    if [ "$got" != "$sha256" ]; then fail "the package with the repository's key has SHA-256 $got, and $sha256 is expected"; fi
    dpkg-deb -x "$work/keyring.deb" "$work/content"
    as_root install -m 644 "$work/content/usr/share/keyrings/cuda-archive-keyring.gpg" "$keyring"
    changed=yes
  fi
  if [ "$(cat "$list" 2>/dev/null)" != "$wanted" ]; then
    # An older list of the same repository with another key makes apt refuse both ("Conflicting values set for option Signed-By").
    for old in $(grep -lsF "$url" /etc/apt/sources.list.d/* 2>/dev/null || true); do
      if [ "$old" != "$list" ]; then as_root mv "$old" "$old.berth-disabled"; fi
    done
    printf '%s\n' "$wanted" | as_root tee "$list" >/dev/null
    changed=yes
  fi
  if [ $# -gt 0 ]; then
    origin=${url#*://} origin=${origin%%[/:]*}
    preferences=$(printf 'Package: *\nPin: origin "%s"\nPin-Priority: -1\n\nPackage: %s\nPin: origin "%s"\nPin-Priority: 600\n' "$origin" "$*" "$origin")
    if [ "$(cat /etc/apt/preferences.d/berth-nvidia 2>/dev/null)" != "$preferences" ]; then
      printf '%s\n' "$preferences" | as_root tee /etc/apt/preferences.d/berth-nvidia >/dev/null
      changed=yes
    fi
  fi
fi
apt_get update
if [ ${#first[@]} -gt 0 ]; then ensure_packages "${first[@]}"; fi
changed=yes
echo "@changed $changed"
