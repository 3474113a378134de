import { engineSettings } from "./engine-settings.ts";
import type { MemoryPart } from "./memory-part.ts";
import type { ServingParallelism, ServingWorkload } from "./workload.ts";

/**
 * CUDA context and libraries: 0.5 GiB with recent drivers, up to 0.9 seen on A100
 * (https://github.com/stas00/ml-engineering); llama.cpp links fewer kernels.
 */
const contextMiB = {
  vllm: { mib: 500, lowMiB: 300, highMiB: 900 },
  tgi: { mib: 500, lowMiB: 300, highMiB: 900 },
  transformers: { mib: 500, lowMiB: 300, highMiB: 900 },
  diffusers: { mib: 500, lowMiB: 300, highMiB: 900 },
  "llama.cpp": { mib: 300, lowMiB: 150, highMiB: 600 },
} as const;

/** NCCL's buffers for a group of GPUs (https://github.com/ai-dynamo/aiconfigurator, system files). */
const ncclMiB = { mib: 350, lowMiB: 200, highMiB: 1500 };

/** vLLM's graphs; its own log speaks of 1 to 3 GiB, recent versions need less. */
const graphsMiB = { mib: 600, lowMiB: 200, highMiB: 1500 };

/** What an engine takes on each GPU whatever the model: context, communication, recorded graphs. */
export function runtimeParts(
  workload: ServingWorkload,
  { tensorParallel, pipelineParallel }: ServingParallelism,
): readonly MemoryPart[] {
  const { engine, cudaGraphs = engineSettings[engine].cudaGraphs } = workload;
  const parts: MemoryPart[] = [
    { name: "runtime", ...contextMiB[engine], why: "CUDA context and libraries" },
  ];
  if (cudaGraphs) parts.push({ name: "cuda-graphs", ...graphsMiB, why: "recorded CUDA graphs" });
  if (tensorParallel * pipelineParallel > 1 && engine !== "llama.cpp") {
    parts.push({ name: "communication", ...ncclMiB, why: "NCCL's buffers between the GPUs" });
  }
  return parts;
}
