#!/usr/bin/env bash
# Tells how a host fares, and changes nothing: its GPUs, the model server's health, and the steps that bootstrap and weights
# left or are at. Usage: host-probe.sh DATA_FOLDER PORT|-
# Prints lines: @idle-stop | @gpu NAME, PERCENT, USED, TOTAL | @health STATUS | @step NAME STATE CODE WRITTEN_AT | @progress JSON | @last TEXT
set -uo pipefail
root=${BERTH_ROOT:-}
folder=$root$1 port=$2

if [ -e "$root/etc/berth/idle" ]; then echo "@idle-stop"; fi
# A driver that hangs must not hang the look.
timeout 5 nvidia-smi --query-gpu=name,utilization.gpu,memory.used,memory.total --format=csv,noheader,nounits 2>/dev/null |
  sed 's/^/@gpu /'
if [ "$port" != - ]; then
  status=$(curl -s -o /dev/null --max-time 5 -w '%{http_code}' "http://127.0.0.1:$port/health" 2>/dev/null)
  # With TLS it takes no plain request; on the host's own loopback the certificate proves nothing more.
  if [ "${status:-000}" = 000 ]; then
    status=$(curl -sk -o /dev/null --max-time 5 -w '%{http_code}' "https://127.0.0.1:$port/health" 2>/dev/null)
  fi
  echo "@health ${status:-000}"
fi

started_at() {
  if [ -r "/proc/$1/stat" ]; then sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20; else ps -o lstart= -p "$1" | tr ' ' '_'; fi
}
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo none)
for log in "$folder"/steps/*/log; do
  [ -f "$log" ] || continue
  step=$(dirname "$log")
  name=$(basename "$step")
  state=gone code=- pid='' since='' on_boot=''
  # One that is just being started has none of its files yet.
  if [ ! -f "$step/process" ]; then state=running; fi
  if [ -f "$step/process" ]; then
    read -r pid since on_boot <"$step/process" || true
    if [ "$on_boot" = "$boot" ] && kill -0 "$pid" 2>/dev/null && [ "$(started_at "$pid")" = "$since" ]; then state=running; fi
  fi
  # The exit file is looked at last: a step that ends between the two looks has it by then.
  if [ -f "$step/exit" ]; then state="done" code=$(cat "$step/exit"); fi
  echo "@step ${name%-*} $state $code $(stat -c %Y "$log")"
  tail -c 8192 "$log" | grep -a '^@progress ' | tail -n 1
  last=$(tail -c 8192 "$log" | grep -av '^@' | grep -a . | tail -n 1 | tr -d '\000-\037\177' | cut -c 1-200)
  echo "@last $last"
done
exit 0
