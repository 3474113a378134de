#!/usr/bin/env bash
# Starts the bash script on standard input so that it outlives the connection, or finds it running already.
# Usage: start-step.sh FOLDER SHA256 RUN [ARGUMENT...]      prints: started | attached | stopping
#        RUN names this run of it: asked again for the same, since the answer was lost, it does not run twice.
set -euo pipefail
folder=$1 sha256=$2 run=$3
shift 3
mkdir -p "$folder"
cat >"$folder/step.sh.$$.tmp"
got=$( (sha256sum "$folder/step.sh.$$.tmp" 2>/dev/null || shasum -a 256 "$folder/step.sh.$$.tmp") | cut -d' ' -f1)
if [ "$got" != "$sha256" ]; then
  # A link that was cut looks like the end of the script: half a script must not run.
  rm -f "$folder/step.sh.$$.tmp"
  echo "the script arrived damaged" >&2
  exit 1
fi
mv -f "$folder/step.sh.$$.tmp" "$folder/step.sh"
exec 9>"$folder/start.lock"
if command -v flock >/dev/null; then flock -w 60 9; fi

started_at() { # the start time of a process, so that a reused process id is not taken for the step
  if [ -r "/proc/$1/stat" ]; then sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20; else ps -o lstart= -p "$1" | tr ' ' '_'; fi
}
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo none)
if [ -f "$folder/exit" ] && [ "$(cat "$folder/run" 2>/dev/null)" = "$run" ]; then
  echo attached
  exit 0
fi
# With its exit written a step is over, even while its shell is on the way out: that is no run to follow.
if [ -f "$folder/process" ] && [ ! -f "$folder/exit" ]; then
  read -r pid since on_boot <"$folder/process" || true
  # No signal asks for it: until systemd has given the process to its user, it is root's.
  if [ "$on_boot" = "$boot" ] && [ "$(started_at "$pid" 2>/dev/null)" = "$since" ]; then
    echo attached
    exit 0
  fi
fi
# What is started on a system that goes down would be killed again.
if [ -d /run/systemd/system ] && [ -z "${BERTH_ROOT:-}" ] && [ "$(systemctl is-system-running 2>/dev/null)" = stopping ]; then
  echo stopping
  exit 0
fi
rm -f "$folder/process" "$folder/exit" "$folder/unit"
: >"$folder/log"
echo "$run" >"$folder/run"

{
  echo '#!/usr/bin/env bash'
  declare -f started_at
  printf 'folder=%q boot=%q\n' "$folder" "$boot"
  cat <<'RUN'
echo "$$ $(started_at $$) $boot" >"$folder/process.tmp" && mv -f "$folder/process.tmp" "$folder/process"
code=0 ended=
# A system that goes down ends what is left of a unit when its first process is gone: that waits for the step.
trap 'ended=yes' TERM
RUN
  printf 'bash %q' "$folder/step.sh"
  # Without arguments printf would still print its format once.
  if [ $# -gt 0 ]; then printf ' %q' "$@"; fi
  # shellcheck disable=SC2016  # it is expanded where it runs
  echo ' >>"$folder/log" 2>&1 </dev/null || code=$?'
  # shellcheck disable=SC2016
  echo 'if [ -n "$ended" ] && [ "$code" != 0 ]; then exit "$code"; fi'
  # shellcheck disable=SC2016
  echo 'echo "$code" >"$folder/exit.tmp" && sync "$folder/exit.tmp" 2>/dev/null; mv -f "$folder/exit.tmp" "$folder/exit"'
} >"$folder/run.sh"

# The step notes its own process first of all, and a busy host may be seconds in coming to it: a look in between would find
# nothing, and start it a second time.
note_process() {
  local since
  since=$(started_at "$1" 2>/dev/null) || return 0
  echo "$1 $since $boot" >"$folder/process.$$.tmp"
  mv -f "$folder/process.$$.tmp" "$folder/process"
}
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
unit=berth-$(basename "$folder")-$$-$RANDOM
detached=no
if [ -z "${BERTH_ROOT:-}" ] && [ -d /run/systemd/system ] && command -v systemd-run >/dev/null && as_root true 2>/dev/null; then
  if as_root systemd-run --quiet --collect --unit="$unit" --uid="$(id -u)" --gid="$(id -g)" \
    --setenv=HOME="$HOME" --setenv=PATH="$PATH" --setenv=BERTH_ROOT="${BERTH_ROOT:-}" \
    --setenv=BERTH_SYSFS="${BERTH_SYSFS:-}" \
    bash "$folder/run.sh" 9>&- >/dev/null 2>&1; then
    echo "$unit" >"$folder/unit"
    note_process "$(systemctl show --property=MainPID --value "$unit" 2>/dev/null || echo 0)"
    detached=yes
  fi
fi
if [ "$detached" = no ]; then
  if command -v setsid >/dev/null; then
    setsid bash "$folder/run.sh" 9>&- >/dev/null 2>&1 </dev/null &
  else
    nohup bash "$folder/run.sh" 9>&- >/dev/null 2>&1 </dev/null &
  fi
  note_process "$!"
fi
echo started
