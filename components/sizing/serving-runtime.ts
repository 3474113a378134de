import { engineSettings } from "./engine-settings.ts";
import type { MemoryPart, PartName } from "./memory-part.ts";
import type { ServingParallelism, ServingWorkload, SizingEngine } from "./workload.ts";

interface Figure {
  readonly mib: number;
  readonly lowMiB: number;
  readonly highMiB: number;
}

/**
 * CUDA context and libraries: 0.5 GiB with drivers of 2024, up to 0.9 seen on A100
 * (https://github.com/stas00/ml-engineering); llama.cpp links fewer kernels. PyTorch 2.11 with CUDA 13 on an H100 takes 686 to
 * 700 MiB, and 755 with bitsandbytes (bench/sizing/references/h100-serving.json).
 */
const pyTorch = { mib: 500, lowMiB: 300, highMiB: 900 } as const;
const recentPyTorch = { mib: 690, lowMiB: 300, highMiB: 900 } as const;
const contextMiB: Readonly<Record<SizingEngine, Figure>> = {
  vllm: pyTorch,
  tgi: pyTorch,
  transformers: recentPyTorch,
  diffusers: recentPyTorch,
  "llama.cpp": { mib: 300, lowMiB: 150, highMiB: 600 },
};

/** What vLLM logs as non-torch memory on one GPU: buffers of kernels and of cuBLAS. */
const librariesMiB: Figure = { mib: 250, lowMiB: 70, highMiB: 500 };

/**
 * Buffers between GPUs. vLLM 0.19 on H100s with NVLink logs 1.8 GiB for a tensor-parallel group, and none for stages; NCCL
 * alone needs 0.35 GiB (https://github.com/ai-dynamo/aiconfigurator).
 */
const groupMiB: Readonly<Record<"vllm" | "other", Figure>> = {
  vllm: { mib: 1860, lowMiB: 350, highMiB: 2200 },
  other: { mib: 350, lowMiB: 200, highMiB: 1500 },
};

/** vLLM's recorded graphs: 0.5 to 1.9 GiB, 1.04 on average over 58 runs of release 0.19. */
const graphsMiB: Figure = { mib: 1060, lowMiB: 520, highMiB: 1900 };

/** Parts that vLLM's share of the GPU does not hold: there before it counts, or recorded after it has sized the cache. */
export const outsideOfShare: Readonly<Record<SizingEngine, readonly PartName[]>> = {
  vllm: ["runtime", "cuda-graphs"],
  tgi: [],
  transformers: [],
  "llama.cpp": [],
  diffusers: [],
};

/** What an engine takes on each GPU whatever the model: context, communication, recorded graphs. */
export function runtimeParts(
  workload: ServingWorkload,
  { tensorParallel, pipelineParallel }: ServingParallelism,
): readonly MemoryPart[] {
  const { engine, cudaGraphs = engineSettings[engine].cudaGraphs } = workload;
  const parts: MemoryPart[] = [
    { name: "runtime", ...contextMiB[engine], why: "CUDA context and libraries" },
  ];
  if (engine === "vllm") {
    parts.push({ name: "libraries", ...librariesMiB, why: "buffers of kernels" });
  }
  if (cudaGraphs) parts.push({ name: "cuda-graphs", ...graphsMiB, why: "recorded CUDA graphs" });
  const group = engine === "vllm" ? groupMiB.vllm : groupMiB.other;
  if (tensorParallel > 1 && engine !== "llama.cpp") {
    parts.push({ name: "communication", ...group, why: "buffers between the GPUs of a group" });
  } else if (pipelineParallel > 1 && engine !== "llama.cpp") {
    const stages = { mib: 100, lowMiB: 50, highMiB: 700 };
    parts.push({ name: "communication", ...stages, why: "buffers between the stages" });
  }
  return parts;
}
