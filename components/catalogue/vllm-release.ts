/**
 * vLLM as it is installed where it serves, and the PyTorch that it brings: its package names one exactly
 * (https://github.com/vllm-project/vllm/blob/v0.11.0/requirements/cuda.txt), and is built with that CUDA release
 * (https://docs.vllm.ai/en/v0.11.0/getting_started/installation/gpu.html).
 *
 * `packages` go with it: its own bounds let in transformers 5, with which it ends at the tokenizer
 * (https://github.com/vllm-project/vllm/pull/29686, https://github.com/VsonicV/es-at-scale/issues/41).
 */
export const vllmRelease = {
  version: "0.11.0",
  torch: "2.8",
  cuda: "12.8",
  packages: ["transformers==4.57.6"],
} as const;
