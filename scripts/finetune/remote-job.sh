#!/usr/bin/env bash
# A fine-tuning on a host: what it is at, its files, its run, its end in order. The folder's lock is held while it runs.
# Usage: remote-job.sh state FOLDER       prints `running` or `idle`, then the end of progress.jsonl and finished.json
#        remote-job.sh receive FOLDER     takes a .tar.gz of the job from standard input; output and .venv stay
#        remote-job.sh run FOLDER BASE_MODEL STOP_AT keep|stop      the last word: what becomes of the model server
#        remote-job.sh stop FOLDER
set -euo pipefail
action=$1 folder=$2
mkdir -p "$folder/output"
exec 9>"$folder/lock"
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
server=berth-model.service
serves() { [ -d /run/systemd/system ] && systemctl is-active --quiet "$server"; }

environment() { # a virtual environment of the pinned packages, made again when the pins change
  if cmp -s requirements.txt .venv/pinned.txt; then return 0; fi
  echo "installing the packages of requirements.txt"
  python3 -m venv --clear .venv
  .venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet --retries 5 -r requirements.txt
  cp requirements.txt .venv/pinned.txt
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
  if serves; then
    if [ "$5" != stop ]; then
      echo "the model server holds the GPUs; start the training with --stop-server" >&2
      exit 1
    fi
    as_root systemctl stop "$server"
  fi
  environment
  export BASE_MODEL=$3 STOP_AT=$4 TQDM_DISABLE=1
  code=0
  # Without the lock's descriptor: what a kill of this shell leaves running must not hold the folder.
  ./run.sh 9>&- || code=$?
  if [ "$5" = stop ] && [ -d /run/systemd/system ]; then as_root systemctl start "$server" || true; fi
  exit "$code"
  ;;
stop)
  touch "$folder/output/stop"
  ;;
esac
