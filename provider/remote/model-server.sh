#!/usr/bin/env bash
# Runs one program as the host's model server: a systemd unit where there is systemd, else a process with a pid file.
# BERTH_UNIT names another unit for another server, and BERTH_UNIT_TITLE says what it is.
# Usage: model-server.sh start FOLDER PORT COMMAND...   prints `started NAME` or `running NAME`
#        model-server.sh status FOLDER                  prints `active`, `starting N` (N restarts so far) or `stopped`
#        model-server.sh log FOLDER                     prints its last lines
#        model-server.sh stop FOLDER                    stops it and removes what start made
set -euo pipefail
action=$1 folder=$2
name=${BERTH_UNIT:-berth-model}
unit=$name.service
unit_path=/etc/systemd/system/$unit
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
with_systemd() { [ -z "${BERTH_ROOT:-}" ] && [ -d /run/systemd/system ] && as_root true 2>/dev/null; }

started_at() {
  if [ -r "/proc/$1/stat" ]; then sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20; else ps -o lstart= -p "$1" | tr ' ' '_'; fi
}
own_pid() { # the process of the pid file, if it is still that one
  local pid since
  [ -f "$folder/pid" ] || return 1
  read -r pid since <"$folder/pid" || return 1
  kill -0 "$pid" 2>/dev/null && [ "$(started_at "$pid")" = "$since" ] || return 1
  echo "$pid"
}

active() {
  if with_systemd; then systemctl is-active --quiet "$unit"; else own_pid >/dev/null; fi
}

halt() {
  if with_systemd; then
    if [ -f "$unit_path" ]; then as_root systemctl stop "$unit" || true; fi
    return 0
  fi
  local pid
  if pid=$(own_pid); then
    kill -TERM -- "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null || true
    for _ in $(seq 50); do
      own_pid >/dev/null || break
      sleep 0.1
    done
    if own_pid >/dev/null; then kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true; fi
  fi
  rm -f "$folder/pid"
}

holder_of() { # who listens on a port of loopback; nothing when nobody does
  local hex inode pid
  hex=$(printf '%04X' "$1")
  if [ -r /proc/net/tcp ]; then
    inode=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10; exit }')
    [ -n "$inode" ] || return 0
    # The holder may belong to another user, so root looks where it may; who it is can stay unknown.
    pid=$( (as_root find /proc -maxdepth 3 -path '/proc/[0-9]*/fd/*' -lname "socket:\[$inode\]" 2>/dev/null || true) | head -n 1 | cut -d/ -f3)
    if [ -n "$pid" ]; then echo "process $pid ($(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c1-80))"; else echo "another process"; fi
  elif command -v lsof >/dev/null; then
    lsof -nP -iTCP:"$1" -sTCP:LISTEN -F pc 2>/dev/null | tr '\n' ' '
  fi
}

# A model is a stranger's file, and who asks it is a stranger too; the login user that it runs as may become root by sudo. So it
# reads no more than it needs, writes to a cache of its own alone, and cannot ask the instance for credentials. Devices stay open,
# for the GPUs (ProtectClock= would shut them too), and memory may be written and run, for what compiles as it goes.
sealed() {
  local path hidden=()
  for path in .ssh .aws .config .docker .kube .gnupg .netrc .git-credentials .bash_history .cache/huggingface; do hidden+=("-$HOME/$path"); done
  cat <<UNIT
CacheDirectory=$name
CacheDirectoryMode=0700
Environment=HOME=/var/cache/$name PYTHONPYCACHEPREFIX=/var/cache/$name/pycache
ProtectSystem=strict
ProtectHome=read-only
InaccessiblePaths=${hidden[*]}
ProtectProc=invisible
IPAddressDeny=169.254.169.254 fd00:ec2::254
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
SystemCallFilter=~@clock @cpu-emulation @module @mount @obsolete @raw-io @reboot @swap
SystemCallErrorNumber=EPERM
SystemCallArchitectures=native
UMask=0077
LimitCORE=0
UNIT
}

render_unit() {
  cat <<UNIT
[Unit]
Description=${BERTH_UNIT_TITLE:-berth model server}
After=network.target nvidia-persistenced.service nvidia-fabricmanager.service
RequiresMountsFor=${folder%/*}/weights
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
User=$(id -un)
WorkingDirectory=$folder
# What CUDA would do by itself at its first use, by a program that gets root; here nothing gets root.
ExecStartPre=+-/bin/sh -c 'if command -v nvidia-modprobe >/dev/null; then exec nvidia-modprobe -u -c0; fi'
ExecStart=/bin/bash $folder/run.sh
SyslogIdentifier=$name
Restart=on-failure
RestartSec=2
TimeoutStopSec=20
NoNewPrivileges=yes
CapabilityBoundingSet=
PrivateTmp=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
LimitMEMLOCK=infinity
LimitNOFILE=65536
OOMScoreAdjust=500
$(if [ "$name" = berth-model ]; then sealed; else echo ProtectSystem=full; fi)

[Install]
WantedBy=multi-user.target
UNIT
}

start() {
  local port=$1 wanted shown holder
  shift
  mkdir -p "$folder"
  # vLLM takes its token from the environment, so that it is in no argument and in no file but its own.
  # shellcheck disable=SC2016  # the file is read when the server starts
  wanted=$(printf '#!/usr/bin/env bash\nif [ -f %q ]; then VLLM_API_KEY=$(<%q) && export VLLM_API_KEY; fi\nexec' "$folder/token" "$folder/token" &&
    printf ' %q' "$@" && echo)
  local same_token=yes
  if [ -f "$folder/token.new" ]; then
    if ! cmp -s "$folder/token.new" "$folder/token"; then same_token=no; fi
    mv -f "$folder/token.new" "$folder/token"
  fi
  shown=$folder/pid
  if with_systemd; then shown=$unit; fi
  if [ "$same_token" = yes ] && active && [ "$(cat "$folder/run.sh" 2>/dev/null)" = "$wanted" ]; then
    if ! with_systemd || [ "$(cat "$unit_path" 2>/dev/null)" = "$(render_unit)" ]; then
      echo "running $shown"
      return 0
    fi
  fi
  halt
  holder=$(holder_of "$port")
  if [ -n "$holder" ]; then
    echo "E_PORT port $port of the host is in use by $holder" >&2
    exit 1
  fi
  printf '%s\n' "$wanted" >"$folder/run.sh.tmp"
  mv -f "$folder/run.sh.tmp" "$folder/run.sh"
  if with_systemd; then
    render_unit | as_root tee "$unit_path" >/dev/null
    as_root systemctl daemon-reload
    as_root systemctl reset-failed "$unit" 2>/dev/null || true
    as_root systemctl enable --quiet "$unit" 2>/dev/null || true
    as_root systemctl restart "$unit"
  else
    : >"$folder/log"
    if command -v setsid >/dev/null; then
      setsid bash "$folder/run.sh" >>"$folder/log" 2>&1 </dev/null &
    else
      nohup bash "$folder/run.sh" >>"$folder/log" 2>&1 </dev/null &
    fi
    echo "$! $(started_at "$!")" >"$folder/pid"
  fi
  echo "started $shown"
}

case $action in
  start) start "${@:3}" ;;
  status)
    if with_systemd; then
      restarts=$(systemctl show -p NRestarts --value "$unit")
      case $(systemctl is-active "$unit" || true) in
        active) if [ "$restarts" = 0 ]; then echo active; else echo "starting $restarts"; fi ;;
        activating | reloading) echo "starting $restarts" ;;
        *) echo stopped ;;
      esac
    elif own_pid >/dev/null; then echo active; else echo stopped; fi
    ;;
  log)
    if with_systemd; then as_root journalctl -u "$unit" -n 25 --no-pager -o cat; else tail -n 25 "$folder/log"; fi
    ;;
  stop)
    halt
    if with_systemd && [ -f "$unit_path" ]; then
      as_root systemctl disable --quiet "$unit" 2>/dev/null || true
      as_root rm -rf "$unit_path" "/var/cache/${name:?}"
      as_root systemctl daemon-reload
    fi
    rm -rf "$folder"
    ;;
esac
