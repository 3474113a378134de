/* The part of CUDA's driver library that cuda-check.py asks, computed by the processor. /etc/fake/cuda makes it
   misbehave: a number is what cuInit gives, `wrong` makes the kernel write other numbers, `slow` a copy take long. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char behaviour[32];

int cuInit(unsigned flags) {
  (void)flags;
  FILE *file = fopen("/etc/fake/cuda", "r");
  if (file != NULL) {
    if (fscanf(file, "%31s", behaviour) != 1) behaviour[0] = 0;
    fclose(file);
  }
  return atoi(behaviour);
}
int cuDeviceGetCount(int *count) { return *count = 1, 0; }
int cuDeviceGet(int *device, int index) { return *device = index, 0; }
int cuDeviceGetName(char *name, int length, int device) { (void)device; return strncpy(name, "NVIDIA L4", (size_t)length), 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  (void)device;
  switch (attribute) {
    case 75: *value = 8; break;
    case 76: *value = 9; break;
    case 32: *value = 1; break;
    case 36: *value = 6251000; break;
    case 37: *value = 192; break;
    default: return 1;
  }
  return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int device) { (void)device; return *context = behaviour, 0; }
int cuDevicePrimaryCtxRelease_v2(int device) { (void)device; return 0; }
int cuCtxSetCurrent(void *context) { (void)context; return 0; }
int cuCtxSynchronize(void) { return 0; }
int cuMemGetInfo_v2(size_t *free_bytes, size_t *total) { *free_bytes = 64u << 20; *total = 23034ull << 20; return 0; }
int cuModuleLoadData(void **module, const void *image) { *module = behaviour; return strstr(image, ".entry fill") ? 0 : 218; }
int cuModuleGetFunction(void **function, void *module, const char *name) { (void)module; *function = behaviour; return strcmp(name, "fill") == 0 ? 0 : 500; }
int cuMemAlloc_v2(uint64_t *memory, size_t bytes) { *memory = (uint64_t)(uintptr_t)calloc(1, bytes); return *memory ? 0 : 2; }
int cuMemFree_v2(uint64_t memory) { free((void *)(uintptr_t)memory); return 0; }
int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void *stream, void **arguments, void **extra) {
  (void)f; (void)gx; (void)gy; (void)gz; (void)bx; (void)by; (void)bz; (void)shared; (void)stream; (void)extra;
  uint32_t *y = (uint32_t *)(uintptr_t)*(uint64_t *)arguments[0];
  uint32_t n = *(uint32_t *)arguments[1], add = strcmp(behaviour, "wrong") == 0 ? 2 : 1;
  for (uint32_t i = 0; i < n; i++) y[i] = 3 * i + add;
  return 0;
}
int cuMemcpyDtoH_v2(void *target, uint64_t source, size_t bytes) { return memcpy(target, (void *)(uintptr_t)source, bytes), 0; }
int cuMemcpyDtoD_v2(uint64_t target, uint64_t source, size_t bytes) { (void)target; (void)source; (void)bytes; return 0; }
int cuMemcpyDtoDAsync_v2(uint64_t target, uint64_t source, size_t bytes, void *stream) { (void)stream; return cuMemcpyDtoD_v2(target, source, bytes); }
int cuEventCreate(void **event, unsigned flags) { (void)flags; *event = behaviour; return 0; }
int cuEventRecord(void *event, void *stream) { (void)event; (void)stream; return 0; }
int cuEventSynchronize(void *event) { (void)event; return 0; }
int cuEventElapsedTime(float *milliseconds, void *start, void *stop) { (void)start; (void)stop; *milliseconds = strcmp(behaviour, "slow") == 0 ? 40.0f : 2.0f; return 0; }
int cuDeviceCanAccessPeer(int *can, int device, int peer) { (void)device; (void)peer; *can = 0; return 0; }
