#!/usr/bin/env bash
# Tells how a step started by start-step.sh fares, and hands over what it wrote from a byte offset on.
# It answers when the step has ended, when there is something to hand over that is half a second old, or after some seconds: so
# a step that is short takes one question, and a silent one few.
# Usage: poll-step.sh FOLDER OFFSET [stop]
# Prints: `running|done|gone STATUS BYTES`, a line feed, then that many bytes of the log.
set -euo pipefail
folder=$1 offset=$2 action=${3:-}
limit=262144

started_at() {
  if [ -r "/proc/$1/stat" ]; then sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20; else ps -o lstart= -p "$1" | tr ' ' '_'; fi
}
# No signal asks for it: until systemd has given the process to its user, it is root's.
is_there() { [ "$(started_at "$pid" 2>/dev/null)" = "$since" ]; }
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo none)
size() { if [ -f "$folder/log" ]; then wc -c <"$folder/log" | tr -d ' '; else echo 0; fi; }
state=gone code=- pid='' since=''
if [ -f "$folder/process" ]; then
  read -r pid since on_boot <"$folder/process" || true
  if [ "$on_boot" = "$boot" ] && is_there; then state=running; fi
fi
if [ "$action" != stop ] && [ "$state" = running ]; then
  for ((tick = 0; tick < 40; tick++)); do
    if [ -f "$folder/exit" ] || ! { kill -0 "$pid" 2>/dev/null || is_there; }; then break; fi
    if [ "$tick" -ge 10 ] && [ "$(size)" -gt "$offset" ]; then break; fi
    sleep 0.05
  done
  # Its process may have gone without an end to tell of, which the next question finds.
fi
if [ "$action" = stop ] && [ "$state" = running ]; then
  if [ -f "$folder/unit" ]; then
    { [ "$(id -u)" = 0 ] && systemctl stop "$(cat "$folder/unit")"; } || sudo -n systemctl stop "$(cat "$folder/unit")" || true
  fi
  kill -TERM -- "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null || true
fi
# The exit file is looked at last: a step that ends between the two looks has it by then.
if [ -f "$folder/exit" ]; then
  state="done"
  code=$(cat "$folder/exit")
fi
total=$(size)
bytes=$((total - offset))
if [ "$bytes" -lt 0 ]; then bytes=0; fi
if [ "$bytes" -gt "$limit" ]; then
  bytes=$limit
  # What is left of the log is fetched before the end is told.
  if [ "$state" != running ]; then state=running; fi
fi
echo "$state $code $bytes"
# head ends tail by a broken pipe when there is more, which is no failure.
if [ "$bytes" -gt 0 ]; then (tail -c "+$((offset + 1))" "$folder/log" || true) | head -c "$bytes"; fi
