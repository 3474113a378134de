#!/usr/bin/env bash
# Installs NVIDIA's container toolkit and tells Docker of it, so that containers see the GPUs.
# Usage: containers.sh
# shellcheck disable=SC2154  # `changed` and the waits are of prelude.sh
set -euo pipefail
if ! have nvidia-ctk; then
  ensure_packages nvidia-container-toolkit
  have nvidia-ctk || fail "nvidia-ctk is not there"
  changed=yes
fi
# The device nodes are named in a file, so that a reload of systemd does not take them from running containers.
if [ ! -s /etc/cdi/nvidia.yaml ]; then
  as_root mkdir -p /etc/cdi
  as_root nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml
  changed=yes
fi
if have docker && ! grep -qs '"nvidia"' /etc/docker/daemon.json; then
  as_root nvidia-ctk runtime configure --runtime=docker
  as_root systemctl restart docker
  changed=yes
fi
echo "@changed $changed"
