#!/bin/sh
# Ends this host when nobody has used it for as long as its settings say: marks it idle at the first sight, and ends it when it
# was idle at every look since, the last one included. What cannot be read counts as use.
# Settings: IDLE_MINUTES, SERVER_PORT, SSH_PORT in /etc/berth/idle; NOTEBOOK_PORT, NOTEBOOK_TOKEN in /etc/berth/notebook.
set -u
folder=${BERTH_ROOT:-}/etc/berth
state=${BERTH_ROOT:-}/run/berth-idle
[ -e "$folder/idle" ] || exit 0
[ ! -e "$folder/protected" ] || exit 0
# shellcheck source=/dev/null
. "$folder/idle"
mkdir -p "$state"

busy() {
  rm -f "$state/since"
  echo "in use: $1"
  exit 0
}

gpu=$(nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits 2>/dev/null) || busy "the GPUs cannot be asked"
[ -n "$gpu" ] || busy "the GPUs cannot be asked"
for percent in $gpu; do
  case $percent in *[!0-9]*) busy "the GPUs cannot be asked" ;; esac
  [ "$percent" -lt 5 ] || busy "a GPU works ($percent %)"
done
for port in "$SSH_PORT" "$SERVER_PORT"; do
  connections=$(ss -Htn state established "( sport = :$port )" 2>/dev/null) || busy "connections cannot be listed"
  [ -z "$connections" ] || busy "somebody is connected to port $port"
done
# A request between two looks is seen by the server's own count, where it has one.
metrics() { curl -fsS --max-time 5 "http://$1" || curl -fsSk --max-time 5 "https://$1"; }
requests=$(metrics "127.0.0.1:$SERVER_PORT/metrics" 2>/dev/null |
  awk '/^[^#].*request.*_total/ { sum += $NF } END { print sum + 0 }')
before=$(cat "$state/requests" 2>/dev/null || echo "$requests")
echo "$requests" >"$state/requests"
[ "$requests" = "$before" ] || busy "the server was asked"
# A kernel of a notebook that works counts, also where nobody is connected; one that waits does not.
if [ -e "$folder/notebook" ]; then
  # shellcheck source=/dev/null
  . "$folder/notebook"
  kernels=$(curl -sS --max-time 5 -H "Authorization: token $(cat "$NOTEBOOK_TOKEN")" "http://127.0.0.1:$NOTEBOOK_PORT/api/kernels" 2>/dev/null)
  # 7 is "nobody listens": the notebook server has been stopped, and its kernels with it.
  case $?:$kernels in
  7:*) ;;
  0:\[*) case $kernels in *'"execution_state": "busy"'* | *'"execution_state":"busy"'*) busy "a kernel of a notebook works" ;; esac ;;
  *) busy "the notebook server cannot be asked" ;;
  esac
fi
read -r load _ <"${BERTH_PROC:-/proc}/loadavg" || busy "the load cannot be read"
awk -v load="$load" 'BEGIN { exit !(load < 1) }' || busy "its processors work (load $load)"

now=$(date +%s)
since=$(cat "$state/since" 2>/dev/null) || since=
case $since in
'' | *[!0-9]*)
  echo "$now" >"$state/since"
  echo "idle: marked"
  exit 0
  ;;
esac
idle=$(((now - since) / 60))
echo "idle for $idle min of $IDLE_MINUTES"
[ "$idle" -lt "$IDLE_MINUTES" ] || shutdown -h now "Nobody has used it for $idle minutes"
