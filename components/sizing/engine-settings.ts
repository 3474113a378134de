import type { SizingEngine } from "./workload.ts";

/** How an engine uses a GPU. */
interface EngineSettings {
  /** Share of the GPU that it takes by default. */
  readonly utilisation: number;
  /** It makes further requests wait for cache, instead of failing. */
  readonly queues: boolean;
  /** Tokens of one step, by default; undefined takes a whole prompt at once. */
  readonly batchedTokens: number | undefined;
  /** It records CUDA graphs by default. */
  readonly cudaGraphs: boolean;
}

/**
 * vLLM: `gpu_memory_utilization` 0.92 (`vllm/config/cache.py`), chunked prefill of 8,192 tokens (`vllm/engine/arg_utils.py`).
 * TGI: `CUDA_MEMORY_FRACTION`-free warm-up to 95 % (`TGI_WIGGLE_ROOM`). llama.cpp: micro-batches of 512 (`--ubatch-size`).
 * PyTorch alone has no share of its own; a fiftieth is left to the driver and to fragments.
 */
export const engineSettings: Readonly<Record<SizingEngine, EngineSettings>> = {
  vllm: { utilisation: 0.92, queues: true, batchedTokens: 8192, cudaGraphs: true },
  tgi: { utilisation: 0.95, queues: true, batchedTokens: undefined, cudaGraphs: true },
  transformers: { utilisation: 0.98, queues: false, batchedTokens: undefined, cudaGraphs: false },
  "llama.cpp": { utilisation: 0.98, queues: false, batchedTokens: 512, cudaGraphs: false },
  diffusers: { utilisation: 0.98, queues: false, batchedTokens: undefined, cudaGraphs: false },
};
