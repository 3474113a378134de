import { partOf } from "./mebibytes.ts";
import type { MemoryPart } from "./memory-part.ts";
import type { ModelShape } from "./model-shape.ts";
import type { TrainingParallelism, TrainingWorkload } from "./workload.ts";

const context = { mib: 600, lowMiB: 400, highMiB: 1200 };
const nccl = { mib: 700, lowMiB: 300, highMiB: 2000 };

/** Bytes of two layers gathered at once: the one that computes and the one that is fetched ahead. */
function gathered(shape: ModelShape, { sharding, offload }: TrainingWorkload): number {
  const whole = sharding === "zero-3" || sharding === "fsdp" || offload === "optimizer-and-weights";
  return whole ? (2 * shape.parameters * 2) / shape.layers : 0;
}

/** What training takes on each GPU besides states and activations. */
export function trainingRuntime(
  shape: ModelShape,
  workload: TrainingWorkload,
  { dataParallel, tensorParallel, pipelineParallel }: TrainingParallelism,
): readonly MemoryPart[] {
  const parts: MemoryPart[] = [
    { name: "runtime", ...context, why: "CUDA context and libraries" },
    partOf("weights", gathered(shape, workload), { below: 0.5, above: 1 }, "two gathered layers"),
  ];
  if (dataParallel * tensorParallel * pipelineParallel > 1) {
    parts.push({ name: "communication", ...nccl, why: "NCCL's buffers between the GPUs" });
  }
  return parts;
}
