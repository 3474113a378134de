#!/usr/bin/env bash
# Asks the GPUs themselves: what nvidia-smi lists, and whether CUDA gives memory on each of them.
# Usage: verify.sh EMULATED      prints `@gpu INDEX, NAME, UUID, MEMORY_MIB, DRIVER` a GPU and `@cuda real|emulated|none`
set -euo pipefail
emulated=$1
if ! command -v nvidia-smi >/dev/null; then
  echo "@cuda none"
  exit 0
fi
timeout -k 2 60 nvidia-smi --query-gpu=index,name,uuid,memory.total,driver_version --format=csv,noheader,nounits </dev/null |
  sed -n '/./s/^/@gpu /p'
if [ "$emulated" = yes ]; then
  echo "@cuda emulated"
  exit 0
fi
if ! command -v python3 >/dev/null; then
  echo "python3 is missing, so CUDA cannot be asked" >&2
  exit 1
fi
# nvidia-smi can be content while CUDA is not (no fabric manager: 802; no nvidia-uvm: 999), so CUDA itself is asked.
python3 - <<'PYTHON'
import ctypes
import sys

cuda = ctypes.CDLL("libcuda.so.1")

def ask(name, *arguments):
    status = getattr(cuda, name)(*arguments)
    if status != 0:
        sys.exit(f"CUDA refuses: {name} gave {status}")

ask("cuInit", 0)
count = ctypes.c_int()
ask("cuDeviceGetCount", ctypes.byref(count))
for index in range(count.value):
    device, context, memory = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_void_p()
    ask("cuDeviceGet", ctypes.byref(device), index)
    ask("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
    ask("cuCtxSetCurrent", context)
    ask("cuMemAlloc_v2", ctypes.byref(memory), ctypes.c_size_t(1 << 20))
    ask("cuMemsetD8_v2", memory, ctypes.c_ubyte(1), ctypes.c_size_t(1 << 20))
    ask("cuMemFree_v2", memory)
    ask("cuDevicePrimaryCtxRelease_v2", device)
print(f"CUDA gave memory on {count.value} GPUs")
PYTHON
echo "@cuda real"
