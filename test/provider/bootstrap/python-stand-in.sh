#!/usr/bin/env bash
# Makes a Python that stands in for one of another version: this machine's own, by itself in a folder, with pip and a header.
# Usage: python-stand-in.sh FOLDER PIP_WHEEL
set -euo pipefail
folder=$1 wheel=$2
version=$(/usr/bin/python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
mkdir -p "$folder/bin" "$folder/lib" "$folder/include/$version"
cp "$(readlink -f /usr/bin/python3)" "$folder/bin/python3"
cp -a "/usr/lib/$version" "$folder/lib/"
mkdir -p "$folder/lib/$version/ensurepip/_bundled"
: >"$folder/lib/$version/ensurepip/__init__.py"
cp "$wheel" "$folder/lib/$version/ensurepip/_bundled/"
: >"$folder/include/$version/Python.h"
