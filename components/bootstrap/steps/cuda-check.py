"""Computes on every GPU through CUDA's driver library, with nothing installed but the driver.

Prints `@device JSON` for each: name, capability, memory, whether a kernel gave the right numbers, and how fast a copy
within the GPU's memory is. Ends with status 1 and the driver's own error number when anything is refused.
"""

import ctypes
import json
import sys

N = 1 << 20
# y[i] = 3 * i + 1. PTX of an old target: the driver compiles it for the GPU that is there.
PTX = b"""
.version 6.4
.target sm_70
.address_size 64
.visible .entry fill(.param .u64 y, .param .u32 n)
{
  .reg .pred %p1;
  .reg .b32 %r<7>;
  .reg .b64 %rd<4>;
  ld.param.u64 %rd1, [y];
  ld.param.u32 %r1, [n];
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ntid.x;
  mov.u32 %r4, %tid.x;
  mad.lo.s32 %r5, %r2, %r3, %r4;
  setp.ge.u32 %p1, %r5, %r1;
  @%p1 bra DONE;
  mad.lo.s32 %r6, %r5, 3, 1;
  cvta.to.global.u64 %rd2, %rd1;
  mul.wide.u32 %rd3, %r5, 4;
  add.s64 %rd2, %rd2, %rd3;
  st.global.u32 [%rd2], %r6;
DONE:
  ret;
}
"""

CAUSES = {
    100: "no device: the module is not loaded, or /dev/nvidia* is not there",
    101: "no such device",
    218: "the driver does not compile this PTX",
    802: "system not yet initialized: the fabric manager does not run",
    803: "the driver library does not fit the loaded module",
    804: "forward compatibility was tried on a GPU that does not support it",
    999: "unknown error: nvidia-uvm is not loaded, or the GPU hangs",
}

try:
    cuda = ctypes.CDLL("libcuda.so.1")
except OSError as error:
    sys.exit(f"CUDA refuses: libcuda.so.1 cannot be loaded: {error}")


def ask(name, *arguments):
    status = getattr(cuda, name)(*arguments)
    if status != 0:
        sys.exit(f"CUDA refuses: {name} gave {status} ({CAUSES.get(status, 'see cuda.h')})")


def attribute(device, number):
    value = ctypes.c_int()
    ask("cuDeviceGetAttribute", ctypes.byref(value), ctypes.c_int(number), device)
    return value.value


def computes(function):
    memory = ctypes.c_uint64()
    ask("cuMemAlloc_v2", ctypes.byref(memory), ctypes.c_size_t(4 * N))
    n = ctypes.c_uint32(N)
    arguments = (ctypes.c_void_p * 2)(
        ctypes.cast(ctypes.byref(memory), ctypes.c_void_p), ctypes.cast(ctypes.byref(n), ctypes.c_void_p)
    )
    ask("cuLaunchKernel", function, N // 256, 1, 1, 256, 1, 1, 0, None, arguments, None)
    ask("cuCtxSynchronize")
    result = (ctypes.c_uint32 * N)()
    ask("cuMemcpyDtoH_v2", result, memory, ctypes.c_size_t(4 * N))
    ask("cuMemFree_v2", memory)
    return all(result[i] == (3 * i + 1) % 2**32 for i in range(0, N, 97)) and result[N - 1] == 3 * (N - 1) + 1


def copy_gb_s(free_bytes):
    """Bytes read and written a second by copies within the GPU's memory, in GB; 0 where there is no room to measure."""
    size = min(256 << 20, free_bytes // 4)
    if size < 1 << 20:
        return 0.0
    source, target = ctypes.c_uint64(), ctypes.c_uint64()
    start, stop = ctypes.c_void_p(), ctypes.c_void_p()
    for memory in (source, target):
        ask("cuMemAlloc_v2", ctypes.byref(memory), ctypes.c_size_t(size))
    for event in (start, stop):
        ask("cuEventCreate", ctypes.byref(event), 0)
    rounds = 16
    ask("cuMemcpyDtoD_v2", target, source, ctypes.c_size_t(size))
    ask("cuEventRecord", start, None)
    for _ in range(rounds):
        ask("cuMemcpyDtoDAsync_v2", target, source, ctypes.c_size_t(size), None)
    ask("cuEventRecord", stop, None)
    ask("cuEventSynchronize", stop)
    milliseconds = ctypes.c_float()
    ask("cuEventElapsedTime", ctypes.byref(milliseconds), start, stop)
    for memory in (source, target):
        ask("cuMemFree_v2", memory)
    return 2 * rounds * size / 1e6 / max(milliseconds.value, 1e-6)


def check(index, count):
    device = ctypes.c_int()
    ask("cuDeviceGet", ctypes.byref(device), index)
    name = ctypes.create_string_buffer(128)
    ask("cuDeviceGetName", name, 128, device)
    context = ctypes.c_void_p()
    ask("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
    ask("cuCtxSetCurrent", context)
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    ask("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
    module, function = ctypes.c_void_p(), ctypes.c_void_p()
    ask("cuModuleLoadData", ctypes.byref(module), PTX)
    ask("cuModuleGetFunction", ctypes.byref(function), module, b"fill")
    right = computes(function)
    speed = copy_gb_s(free.value)
    peers = 0
    for other in range(count):
        reachable = ctypes.c_int()
        if other != index:
            ask("cuDeviceCanAccessPeer", ctypes.byref(reachable), index, other)
            peers += reachable.value
    # Numbers of CUdevice_attribute in cuda.h: 75 and 76 the capability, 32 ECC, 36 memory clock (kHz), 37 bus width (bit).
    report = {
        "index": index,
        "name": name.value.decode(),
        "computeCapability": f"{attribute(device, 75)}.{attribute(device, 76)}",
        "memoryMiB": total.value >> 20,
        "ecc": attribute(device, 32) == 1,
        "computes": right,
        "copyGBs": round(speed, 1),
        "nominalGBs": round(2 * attribute(device, 36) * 1e3 * attribute(device, 37) / 8 / 1e9, 1),
        "peers": peers,
    }
    ask("cuDevicePrimaryCtxRelease_v2", device)
    print("@device " + json.dumps(report), flush=True)
    if not right:
        sys.exit(f"CUDA computes wrongly on GPU {index}: a kernel's numbers are not the expected ones")


ask("cuInit", 0)
devices = ctypes.c_int()
ask("cuDeviceGetCount", ctypes.byref(devices))
for number in range(devices.value):
    check(number, devices.value)
print(f"a kernel gave the right numbers on {devices.value} GPUs")
