#!/usr/bin/env bash
# What the steps have in common. It is put before each of them, with `lock_seconds` and `retry_seconds` set.
# Lines for the caller begin with `@`: `@changed yes|no`, `@warning TEXT`, `@reboot WHY`.
# shellcheck disable=SC2034,SC2154,SC2317,SC2329  # set before or read after this file; each step uses a part of it
set -euo pipefail
changed=no
sysfs=${BERTH_SYSFS:-/sys}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
can_root() { [ -z "${BERTH_ROOT:-}" ] && as_root true 2>/dev/null; }
have() { command -v "$1" >/dev/null 2>&1; }
say() { printf '%s\n' "$*"; }
warn() { printf '@warning %s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# What dpkg left half done is finished first: apt refuses everything else until then.
dpkg_interrupted() {
  [ -n "$(ls -A /var/lib/dpkg/updates 2>/dev/null)" ] || dpkg-query -W -f '${db:Status-Status}\n' 2>/dev/null | grep -qE '^(half-|unpacked)'
}
finish_dpkg() {
  if dpkg_interrupted; then
    say "dpkg was cut off before; finishing what it left"
    as_root env DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold --configure -a </dev/null || return
    changed=yes
  fi
}

# Who holds one of apt's locks; apt itself does not always say.
lock_holder() {
  local file inode pid
  for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
    inode=$(stat -c %i "$file" 2>/dev/null) || continue
    pid=$(awk -v inode=":$inode" '$2 == "POSIX" && substr($6, length($6) - length(inode) + 1) == inode { print $5; exit }' /proc/locks)
    if [ -n "$pid" ]; then
      echo "is held by process $pid ($(cat "/proc/$pid/comm" 2>/dev/null || echo unknown))"
      return 0
    fi
  done
  return 1
}

# apt-get that asks nothing, waits for others, and tries again where a mirror is half-way through an update. apt's own
# lock timeout covers one of its three locks only, so the wait is ours; a holder is never killed, a lock never removed.
apt_get() {
  local deadline=$((SECONDS + lock_seconds)) tries=0 status log
  log=$(mktemp)
  while :; do
    set +e
    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a NEEDRESTART_SUSPEND=1 LC_ALL=C apt-get -y -q \
      -o DPkg::Lock::Timeout=5 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
      -o Acquire::Retries=2 -o APT::Update::Error-Mode=any "$@" </dev/null 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    set -e
    if [ "$status" = 0 ]; then break; fi
    if grep -qE 'Could not get lock|Unable to (lock|acquire)' "$log"; then
      say "the package system $(lock_holder || echo "is in use")"
      if [ "$SECONDS" -ge "$deadline" ]; then break; fi
      sleep 1
    elif grep -q 'dpkg was interrupted' "$log" && [ "$tries" -lt 3 ]; then
      finish_dpkg
      tries=$((tries + 1))
    elif grep -qE 'unexpected size|Mirror sync|404  Not Found|Hash Sum mismatch' "$log" && [ "$tries" -lt 3 ]; then
      tries=$((tries + 1))
      say "the mirror is not consistent; trying again in $((retry_seconds * tries)) s"
      sleep $((retry_seconds * tries))
      if [ "${1:-}" != update ]; then
        as_root env LC_ALL=C apt-get -q -o DPkg::Lock::Timeout=5 update </dev/null || true
      fi
    else
      break
    fi
  done
  rm -f "$log"
  return "$status"
}

# dnf of Amazon Linux 2023. It would wait for another user of the package system for ever; so it is told to end (with 200,
# after it has named the holder), and the wait is ours.
on_amazon() { grep -qs '^ID="\?amzn' /etc/os-release; }
dnf_get() {
  local deadline=$((SECONDS + lock_seconds)) status
  while :; do
    status=0
    as_root env LC_ALL=C dnf -y --setopt=exit_on_lock=True "$@" </dev/null 2>&1 || status=$?
    if [ "$status" != 200 ] || [ "$SECONDS" -ge "$deadline" ]; then return "$status"; fi
    sleep 1
  done
}

package_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Installs those of the packages that are missing; no package list is fetched for nothing.
ensure_packages() {
  local package missing=()
  if on_amazon; then
    # As root: not every rpm shows others the database of the system.
    if as_root rpm -q "$@" >/dev/null 2>&1; then return 0; fi
    say "installing $*"
    dnf_get install "$@" || return
    changed=yes
    return 0
  fi
  for package in "$@"; do
    if ! package_installed "$package"; then missing+=("$package"); fi
  done
  if [ ${#missing[@]} = 0 ]; then return 0; fi
  # Called in a condition, nothing ends the function by itself at the first failure.
  finish_dpkg || return
  say "installing ${missing[*]}"
  apt_get install --no-install-recommends "${missing[@]}" || return
  changed=yes
}

# Whether apt could install the packages: tried out, since no table knows what a mirror has today.
packages_resolve() { LC_ALL=C apt-get -q -s --no-install-recommends install "$@" </dev/null 2>&1; }

# Keeps packages as they are: an upgrade of the driver beneath a running system breaks it.
hold_packages() {
  local package held=()
  for package in $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p'); do
    held+=("$package")
  done
  if [ ${#held[@]} = 0 ]; then return 0; fi
  if [ -n "$(printf '%s\n' "${held[@]}" | sort | comm -23 - <(apt-mark showhold | sort))" ]; then
    as_root apt-mark hold "${held[@]}" >/dev/null
    changed=yes
  fi
}

module_loaded() { if have lsmod; then lsmod; else cat /proc/modules; fi | cut -d' ' -f1 | grep -qx "$1"; }
loaded_version() { cat "$sysfs/module/nvidia/version" 2>/dev/null || true; }
# Modules on disk are those of the running kernel, or, after a change of kernel, of the next one.
installed_version() { modinfo -F version nvidia 2>/dev/null || true; }

load_module() {
  local output
  if module_loaded "${1//-/_}"; then return 0; fi
  say "loading the module $1"
  if ! output=$(as_root modprobe "$1" 2>&1); then
    say "$output"
    # The kernel says why only in its own log.
    as_root dmesg 2>/dev/null | grep -E 'NVRM|nouveau|NovaCore|nvidia' | tail -n 8 || true
    return 1
  fi
  changed=yes
}

unload_module() {
  if ! module_loaded "$1"; then return 0; fi
  say "unloading the module $1"
  as_root modprobe -r "$1" || return 1
  changed=yes
}

# Gets NVIDIA's modules into the kernel, the ones that fit the installed driver, and takes those out that hold the GPU
# instead. Ends the step with `@reboot` where only a reboot helps.
load_driver() {
  local module
  for module in nouveau nova_core; do
    if ! unload_module "$module"; then
      printf 'blacklist %s\noptions %s modeset=0\n' "$module" "$module" | as_root tee "/etc/modprobe.d/berth-$module.conf" >/dev/null
      if have update-initramfs; then as_root update-initramfs -u; fi
      echo "@reboot $module holds the GPU and does not unload"
      echo "@changed yes"
      exit 0
    fi
  done
  if module_loaded nvidia && [ -n "$(loaded_version)" ] && [ -n "$(installed_version)" ] && [ "$(loaded_version)" != "$(installed_version)" ]; then
    say "module $(loaded_version) is loaded, and $(installed_version) is installed"
    for module in nvidia_drm nvidia_modeset nvidia_uvm nvidia; do
      if ! unload_module "$module"; then
        echo "@reboot the module $(loaded_version) is in use, and $(installed_version) is installed"
        echo "@changed yes"
        exit 0
      fi
    done
  fi
  load_module nvidia || return 1
  load_module nvidia-uvm || return 1
}

# The last word on a driver: nvidia-smi lists a GPU. Its status is that of nvidia-smi(1).
check_driver() {
  local status=0
  have nvidia-smi || fail "nvidia-smi is not there"
  timeout -k 2 60 nvidia-smi -L </dev/null || status=$?
  if [ "$status" != 0 ]; then fail "nvidia-smi ended with status $status"; fi
}

# make_environment FOLDER PYTHON: a virtual environment in its place (it cannot be moved) with pip in it. The wheel of pip that
# Python carries is pure Python, and such a wheel is installed by unpacking it; ensurepip needs ten times as long for the same.
make_environment() {
  "$2" -c 'import venv, ensurepip' || fail "Python 3 is not there, or cannot make virtual environments: install python3-venv"
  "$2" -m venv --clear --without-pip "$1"
  if ! "$1/bin/python" - <<'PYTHON'
import ensurepip, glob, os, sysconfig, zipfile
# A system with several Pythons has a folder of wheels for each, and an old pip does not run on a new Python.
shared = sysconfig.get_config_var("WHEEL_PKG_DIR") or "/usr/share/python-wheels"
own = os.path.join(os.path.dirname(ensurepip.__file__), "_bundled")
wheels = [wheel for folder in (own, shared) for wheel in glob.glob(folder + "/pip-*.whl")]
zipfile.ZipFile(wheels[0]).extractall(sysconfig.get_path("purelib"))
PYTHON
  then
    "$1/bin/python" -m ensurepip --default-pip >/dev/null
  fi
}
# What is fetched once is not kept twice, and what is never imported is not compiled. The wheels lie beside the environment while
# they are unpacked: on some systems /tmp is in memory, and has no room for gigabytes.
pip_install() {
  local work=$1.wheels status=0
  rm -rf "$work"
  mkdir "$work"
  TMPDIR=$work "$1/bin/python" -m pip install --disable-pip-version-check --no-input --quiet --retries 5 --no-cache-dir --no-compile \
    "${@:2}" || status=$?
  rm -rf "$work"
  return "$status"
}

# Whether an environment has these packages (NAME==VERSION), exactly.
packages_there() {
  "$1/bin/python" - "${@:2}" <<'PYTHON' 2>/dev/null
import importlib.metadata as metadata
import sys
wanted = [each.split("==") for each in sys.argv[1:]]
sys.exit(any(metadata.version(name) != version for name, version in wanted))
PYTHON
}
