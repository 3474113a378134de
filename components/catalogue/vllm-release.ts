/**
 * vLLM as it is installed where it serves, and the PyTorch that it brings: its package names one exactly
 * (https://github.com/vllm-project/vllm/blob/v0.11.0/requirements/cuda.txt), and is built with that CUDA release
 * (https://docs.vllm.ai/en/v0.11.0/getting_started/installation/gpu.html).
 */
export const vllmRelease = { version: "0.11.0", torch: "2.8", cuda: "12.8" } as const;
