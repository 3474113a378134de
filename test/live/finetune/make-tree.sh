#!/usr/bin/env bash
# Makes a Debian tree with PyTorch for the CPU and the training libraries. PyPI's package of PyTorch for x86 brings gigabytes
# of CUDA; Debian's is 60 MB.
# Usage: make-tree.sh TREE REQUIREMENTS
set -euo pipefail
tree=$1 requirements=$2
mirror=${BERTH_DEBIAN_MIRROR:-http://deb.debian.org/debian}
making=$tree.making
rm -rf "$making"
mkdir -p "$making"
debootstrap --variant=minbase trixie "$making" "$mirror"
cp /etc/resolv.conf "$making/etc/resolv.conf"
inside() { DEBIAN_FRONTEND=noninteractive chroot "$making" "$@"; }
inside apt-get update -qq
# OpenBLAS: with the reference BLAS, which is what libtorch asks for, a step takes fifty times as long.
inside apt-get install -y -qq --no-install-recommends python3-torch python3-venv libopenblas0-pthread ca-certificates
# The machine's own list of authorities, which may have that of a mirror.
cp /etc/ssl/certs/ca-certificates.crt "$making/etc/ssl/certs/ca-certificates.crt"
cp "$requirements" "$making/requirements.txt"
inside python3 -m venv --system-site-packages /venv
inside /venv/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --no-input -r /requirements.txt
inside apt-get clean
rm -rf "$making"/usr/share/{doc,locale,man} "$making"/var/lib/apt/lists/*
# Debian builds PyTorch without libuv, and its own launcher asks for it all the same.
elastic=$making/usr/lib/python3/dist-packages/torch/distributed
sed -i 's/multi_tenant=True,$/multi_tenant=True, use_libuv=False,/' "$elastic"/elastic/rendezvous/*_rendezvous*.py
sed -i '0,/return TCPStore($/s//return TCPStore(use_libuv=False,/' "$elastic/rendezvous.py"
mkdir -p "$making/work"
mv "$making" "$tree"
