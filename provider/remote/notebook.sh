#!/usr/bin/env bash
# Makes a Python environment with JupyterLab, a token and a folder for notebooks; what is there already is left alone.
# Usage: notebook.sh prepare FOLDER VERSION PYTHON   prints `made` or `there`; PYTHON is the command that makes environments
#        notebook.sh token FOLDER             prints the token
#        notebook.sh watch FOLDER PORT        has the idle check of the host, where there is one, look at the kernels
set -euo pipefail
action=$1 folder=$2
# Beneath BERTH_ROOT, a folder that stands for a machine, everything is the user's own.
as_root() { if [ "$(id -u)" = 0 ] || [ -n "${BERTH_ROOT:-}" ]; then "$@"; else sudo -n "$@"; fi; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

prepare() {
  local version=$1 python=$2 venv=$folder/venv
  umask 077
  mkdir -p "$folder/work"
  # An install that was cut off may still be under way.
  if command -v flock >/dev/null; then
    exec 9>"$folder/lock"
    flock 9
  fi
  if [ ! -s "$folder/token" ]; then
    head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$folder/token.tmp"
    mv "$folder/token.tmp" "$folder/token"
  fi
  if [ "$(cat "$venv/berth-version" 2>/dev/null)" = "$version" ]; then
    echo there
    return 0
  fi
  "$python" -c 'import venv, ensurepip' 2>/dev/null || fail "E_VENV Python 3 is not there, or cannot make virtual environments: install python3-venv"
  # A virtual environment cannot be moved, so it is made in its place; the mark is written when it is whole.
  "$python" -m venv --clear "$venv"
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --quiet --retries 5 --only-binary=:all: "jupyterlab==$version"
  printf '%s' "$version" >"$venv/berth-version"
  echo made
}

watch() {
  local settings=${BERTH_ROOT:-}/etc/berth
  [ -e "$settings/idle" ] || return 0
  printf 'NOTEBOOK_PORT=%s\nNOTEBOOK_TOKEN=%q\n' "$1" "$folder/token" | as_root tee "$settings/notebook" >/dev/null
}

case $action in
  prepare) prepare "$3" "$4" ;;
  token) cat "$folder/token" ;;
  watch) watch "$3" ;;
  *) fail "no such action: $action" ;;
esac
