import type { SizingEngine } from "./workload.ts";

/** How an engine uses a GPU. */
interface EngineSettings {
  /** Share of the GPU that it takes by default. */
  readonly utilisation: number;
  /** It makes further requests wait for cache, instead of failing. */
  readonly queues: boolean;
  /** It records CUDA graphs by default. */
  readonly cudaGraphs: boolean;
}

/**
 * vLLM: `gpu_memory_utilization` 0.92 (`vllm/config/cache.py`). TGI: 90 % (`TGI_WIGGLE_ROOM`). PyTorch alone has no share of
 * its own; a fiftieth is left to the driver.
 */
export const engineSettings: Readonly<Record<SizingEngine, EngineSettings>> = {
  vllm: { utilisation: 0.92, queues: true, cudaGraphs: true },
  tgi: { utilisation: 0.9, queues: true, cudaGraphs: true },
  transformers: { utilisation: 0.98, queues: false, cudaGraphs: false },
  "llama.cpp": { utilisation: 0.98, queues: false, cudaGraphs: false },
  diffusers: { utilisation: 0.98, queues: false, cudaGraphs: false },
};
