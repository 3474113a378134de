#!/usr/bin/env bash
# Replaces the ed25519 host key that the machine was seeded with: user data can be read by others, this key by nobody.
# Usage: rotate-host-key.sh make       makes the new key beside the old one, prints its public line, or `none`
#        rotate-host-key.sh activate   puts it in place and has sshd read it
set -euo pipefail
action=$1
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

# A machine that is only a folder has no sshd of its own: what is found above it is the host's, and not to be touched.
if [ -n "${BERTH_ROOT:-}" ]; then
  echo none
  exit 0
fi

# The sshd that serves this very connection, the nearest of our ancestors, knows which configuration counts.
listener='' config=/etc/ssh/sshd_config pid=$$
while [ "${pid:-0}" -gt 1 ] && [ -r "/proc/$pid/stat" ]; do
  title=$(tr '\0' ' ' <"/proc/$pid/cmdline")
  case $title in
    sshd:*\[listener\]* | */sshd\ * | */sshd)
      listener=$pid
      case $title in
        *" -f "*)
          config=${title#* -f }
          config=${config%% *}
          ;;
      esac
      break
      ;;
  esac
  pid=$(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f2)
done
sshd=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd || true)
if [ -z "$listener" ] || [ -z "$sshd" ] || ! as_root true 2>/dev/null; then
  echo none
  exit 0
fi
key=$(as_root "$sshd" -T -f "$config" 2>/dev/null | sed -n 's/^hostkey \(.*ed25519.*\)$/\1/p' | head -n 1)
if [ -z "$key" ] || ! as_root test -f "$key"; then
  echo none
  exit 0
fi

case $action in
  make)
    if ! as_root test -f "$key.next"; then
      as_root rm -f "$key.making" "$key.making.pub"
      as_root ssh-keygen -q -t ed25519 -N '' -C '' -f "$key.making"
      as_root mv "$key.making.pub" "$key.next.pub"
      as_root mv "$key.making" "$key.next"
    fi
    as_root cat "$key.next.pub" | cut -d' ' -f1-2
    ;;
  activate)
    as_root test -f "$key.next"
    as_root sync "$key.next" 2>/dev/null || true
    as_root cp -p "$key.next.pub" "$key.pub"
    as_root mv -f "$key.next" "$key"
    as_root rm -f "$key.next.pub"
    if [ "$config" = /etc/ssh/sshd_config ] && [ -d /run/systemd/system ]; then
      as_root systemctl reload ssh 2>/dev/null || as_root systemctl reload sshd 2>/dev/null || as_root kill -HUP "$listener"
    else
      as_root kill -HUP "$listener"
    fi
    echo activated
    ;;
esac
