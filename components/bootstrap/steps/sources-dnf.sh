#!/usr/bin/env bash
# Adds NVIDIA's repository on Amazon Linux 2023, with its key, where that is the one that is expected.
# Usage: sources-dnf.sh URL KEY      KEY is the key's fingerprint (40 digits) or the SHA-256 of its file (64 digits)
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
url=$1 key=$2
list=/etc/yum.repos.d/berth-nvidia.repo
keyring=/etc/pki/rpm-gpg/RPM-GPG-KEY-berth-nvidia

if [ ! -s "$keyring" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  say "fetching the key of $url"
  curl -fsSL --retry 3 --max-time 120 -o "$work/key" "$url/D42D0685.pub"
  if [ ${#key} = 64 ]; then
    got=$(sha256sum "$work/key" | cut -d' ' -f1)
  else
    # A file of several keys would bring in others beside the one that is expected.
    got=$(gpg --homedir "$work" --batch --quiet --with-colons --show-keys "$work/key" 2>/dev/null | awk -F: '$1 == "pub" { n++ } $1 == "fpr" && !f { f = $10 } END { print n == 1 ? f : "several" }')
  fi
  if [ "$got" != "$key" ]; then fail "the repository's key is $got, and $key is expected"; fi
  as_root mkdir -p "${keyring%/*}"
  as_root install -m 644 "$work/key" "$keyring"
  changed=yes
fi
wanted=$(printf '[berth-nvidia]\nname=NVIDIA\nbaseurl=%s\nenabled=1\ngpgcheck=1\ngpgkey=file://%s\n' "$url" "$keyring")
if [ "$(cat "$list" 2>/dev/null)" != "$wanted" ]; then
  printf '%s\n' "$wanted" | as_root tee "$list" >/dev/null
  changed=yes
fi
echo "@changed $changed"
