/** Images with the open NVIDIA driver: https://docs.aws.amazon.com/dlami/latest/devguide/find-dlami-id.html */
export const baseImageParameter =
  "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id";
