#!/usr/bin/env bash
# A fine-tuning on a host: what it is at, its files, its run, its end in order. The folder's lock is held while it runs.
# Usage: remote-job.sh state FOLDER       prints `running` or `idle`, then the end of progress.jsonl and finished.json
#        remote-job.sh receive FOLDER     takes a .tar.gz of the job from standard input; output and .venv stay
#        remote-job.sh run FOLDER BASE_MODEL STOP_AT keep|stop [URI REGION ENDPOINT MINUTES TOOLS [NODES RANK MASTER SHARED]]
#          keep|stop: what becomes of the model server; then where in S3 its checkpoints are kept, how often, by the
#          checkpoints.py of the folder TOOLS; an empty ENDPOINT is AWS's own, an empty URI keeps none; then which of
#          several hosts it is, where the first of them is, and the storage that all of them have, if any
#        remote-job.sh link FOLDER SHARED       has output lie on storage that all hosts have, and prints what that is known by
#        remote-job.sh prepare FOLDER BASE_MODEL - - URI REGION ENDPOINT MINUTES TOOLS
#          on the first of the hosts that share it, before all of them run: the newest checkpoint, and the base model in its form
#        remote-job.sh share FOLDER - - - URI REGION ENDPOINT MINUTES TOOLS     its newest checkpoint to S3, now
#        remote-job.sh newest FOLDER      prints the step of the newest whole checkpoint, or 0
#        remote-job.sh stop FOLDER        ends it after its step, with a checkpoint
#        remote-job.sh end FOLDER         ends it at once
#        remote-job.sh logs FOLDER STEPS  prints the end of what its last run said, from the folder of detached steps
# `python` may be set before it: the command that makes environments, where the system's python3 is too old.
set -euo pipefail
action=$1 folder=$2 python=${python:-python3}
mkdir -p "$folder"
# A link is to storage that may not be mounted just now.
[ -L "$folder/output" ] || mkdir -p "$folder/output"
exec 9>"$folder/lock"
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
server=berth-model.service
serves() { [ -d /run/systemd/system ] && systemctl is-active --quiet "$server"; }

environment() { # environment FOLDER: a virtual environment of the pinned packages, made again when the pins change
  if cmp -s "$1/requirements.txt" "$1/.venv/pinned.txt"; then return 0; fi
  echo "installing the packages of $1/requirements.txt"
  "$python" -m venv --clear "$1/.venv"
  "$1/.venv/bin/python" -m pip install --disable-pip-version-check --no-input --quiet --retries 5 -r "$1/requirements.txt"
  cp "$1/requirements.txt" "$1/.venv/pinned.txt"
}

link_output() { # link_output SHARED: output is SHARED/<job>, which each host sees
  local place
  place=$1/$(basename "$folder")
  mkdir -p "$place" || { echo "$1 cannot be written to on this host" >&2; exit 1; }
  if [ ! -L "$folder/output" ]; then
    rmdir "$folder/output" || { echo "$folder/output has an earlier run of this host alone; move what is in it to $place" >&2; exit 1; }
  fi
  ln -sfn "$place" "$folder/output"
}

checkpoints() { # checkpoints pull|keep [MINUTES]
  local endpoint=()
  if [ -n "$s3_endpoint" ]; then endpoint=("AWS_ENDPOINT_URL=$s3_endpoint"); fi
  exec env AWS_DEFAULT_REGION="$s3_region" "${endpoint[@]}" "$tools/.venv/bin/python" "$tools/checkpoints.py" \
    "$1" "$folder/output" "$s3_uri" "${@:2}"
}

case $action in
state)
  if flock -n 9; then echo idle; else echo running; fi
  if [ -f "$folder/output/progress.jsonl" ]; then tail -n 50 "$folder/output/progress.jsonl"; fi
  if [ -f "$folder/output/finished.json" ]; then tr -d '\n' <"$folder/output/finished.json"; fi
  ;;
receive)
  flock -n 9 || { echo "it runs, so its files stay as they are" >&2; exit 1; }
  rm -rf "$folder/incoming"
  mkdir "$folder/incoming"
  # An archive that was cut off ends tar with an error, and then nothing is moved.
  tar -xzf - -C "$folder/incoming"
  for path in "$folder/incoming"/*; do
    rm -rf "${folder:?}/$(basename "$path")"
    mv "$path" "$folder/"
  done
  rm -rf "$folder/incoming"
  ;;
run)
  flock -n 9 || { echo "it runs already" >&2; exit 1; }
  cd "$folder"
  base=$3 stop_at=$4 meanwhile=$5 s3_uri=${6:-} s3_region=${7:-} s3_endpoint=${8:-} minutes=${9:-} tools=${10:-}
  nodes=${11:-1} rank=${12:-0} master=${13:-} shared=${14:-}
  if [ "$nodes" -gt 1 ] && [ -z "$shared" ] && [ -L output ]; then
    echo "output is on storage that the hosts share: start it with --shared-storage $(dirname "$(readlink output)")" >&2
    exit 1
  fi
  if serves && [ "$meanwhile" != stop ]; then
    echo "the model server holds the GPUs; start the training with --stop-server" >&2
    exit 1
  fi
  environment .
  if [ -n "$s3_uri" ]; then
    environment "$tools"
    # On storage that all hosts have it is there by `prepare`.
    if [ -z "$shared" ]; then (checkpoints pull) 9>&-; fi
  fi
  if serves; then as_root systemctl stop "$server"; fi
  keeper=
  # Of several hosts the first alone has whole checkpoints.
  if [ -n "$s3_uri" ] && [ "$rank" = 0 ]; then
    checkpoints keep "$minutes" 9>&- &
    keeper=$!
  fi
  export BASE_MODEL=$base STOP_AT=$stop_at TQDM_DISABLE=1
  if [ "$nodes" -gt 1 ]; then export NNODES=$nodes NODE_RANK=$rank MASTER_ADDR=$master; fi
  code=0
  # Without the lock's descriptor: what a kill of this shell leaves running must not hold the folder.
  ./run.sh 9>&- &
  runner=$!
  echo "$runner" >run.pid
  wait "$runner" || code=$?
  rm -f run.pid
  if [ "$meanwhile" = stop ] && [ -d /run/systemd/system ]; then as_root systemctl start "$server" || true; fi
  if [ -n "$keeper" ]; then
    kill -TERM "$keeper" || true
    wait "$keeper" || true
  fi
  exit "$code"
  ;;
link)
  link_output "$3"
  cd "$folder/output"
  # Written under another name first: who reads it sees all of it or nothing.
  if [ ! -f .storage ]; then
    od -An -N8 -tx1 /dev/urandom | tr -d ' \n' >".storage.$$"
    mv -n ".storage.$$" .storage
    rm -f ".storage.$$"
  fi
  cat .storage
  ;;
prepare)
  cd "$folder"
  base=$3 s3_uri=${6:-} s3_region=${7:-} s3_endpoint=${8:-} tools=${10:-}
  environment .
  if [ -n "$s3_uri" ]; then
    environment "$tools"
    (checkpoints pull)
  fi
  if [ -f megatron.yaml ] && [ ! -d output/base ] && [ ! -f output/finished.json ]; then
    echo "bringing $base to Megatron-LM's form, in the memory of this host"
    BASE_MODEL=$base .venv/bin/python convert_megatron.py import
  fi
  ;;
logs)
  while read -r log; do
    if ! grep -qF -- " $folder " "$(dirname "$log")/run.sh"; then continue; fi
    tail -n 200 "$log"
    break
  done < <(find "$3" -path '*/train-*/log' -printf '%T@ %p\n' 2>/dev/null | sort -rn | cut -d' ' -f2-)
  ;;
share)
  s3_uri=$6 s3_region=$7 s3_endpoint=$8 tools=${10}
  environment "$tools"
  (checkpoints push)
  ;;
newest)
  for mark in "$folder"/output/checkpoint-*/whole; do
    if [ -f "$mark" ]; then basename "$(dirname "$mark")" | cut -d- -f2; fi
  done | sort -n | tail -n 1 | grep . || echo 0
  ;;
stop)
  touch "$folder/output/stop"
  ;;
end)
  # The lock tells that the number is not another process's by now.
  if flock -n 9 || [ ! -f "$folder/run.pid" ]; then exit 0; fi
  # run.sh takes the first as "after this step" and the second as "now".
  for _ in 1 2; do
    kill -TERM "$(cat "$folder/run.pid")" 2>/dev/null || exit 0
    sleep 1
  done
  ;;
esac
