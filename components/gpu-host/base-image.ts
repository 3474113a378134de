/**
 * Images with the open NVIDIA driver (https://docs.aws.amazon.com/dlami/latest/devguide/find-dlami-id.html), on Ubuntu 24.04:
 * the libraries of a training need Python 3.11, and 22.04 has 3.10, whose end was in October 2026.
 */
export const baseImageParameter =
  "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id";
