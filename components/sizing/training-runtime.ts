import { partOf } from "./mebibytes.ts";
import type { MemoryPart } from "./memory-part.ts";
import { embeddingParameters, type ModelShape } from "./model-shape.ts";
import type { TrainingParallelism, TrainingWorkload } from "./workload.ts";

const gibi = 1024 ** 3;
/** CUDA context of a training process with its libraries. */
const context = { mib: 400, lowMiB: 140, highMiB: 1200 };
/** NCCL's buffers (https://github.com/stas00/ml-engineering: 1 to 2 GiB with torch.distributed). */
const nccl = { mib: 700, lowMiB: 300, highMiB: 2000 };

/** Blocks that PyTorch's allocator holds and nothing uses: one GiB, and a share of what is loaded. */
const unused = { gib: 0.6, share: 0.065 } as const;

/** Parameters that DeepSpeed's ZeRO 3 gathers at most (`stage3_max_live_parameters`), and gradients of one bucket. */
const zero = { live: 1e9, bucket: 5e8 } as const;

function linearLayer(shape: ModelShape): number {
  return Math.max(0, shape.parameters - embeddingParameters(shape)) / shape.layers;
}

/** Bytes of the layers that are gathered at once, and DeepSpeed's buckets. */
function gathered(shape: ModelShape, { sharding, offload, method }: TrainingWorkload): number {
  const layers = 2 * linearLayer(shape) * 2;
  if (sharding === "zero-3") {
    const live = Math.min(shape.parameters, zero.live) * 2;
    return live + layers + 2 * Math.min(shape.parameters, zero.bucket) * 2;
  }
  if (sharding === "fsdp" || offload === "optimizer-and-weights") return layers;
  return sharding === "zero-2" && method === "full" ? zero.bucket * 4 : 0;
}

/**
 * What FSDP leaves in holes, of the activations and logits of a pass: the blocks of a gathered layer are cut up by them, and the
 * next layer finds none whole. Beside 16-bit weights PyTorch reserved 1.26 to 1.35 times what was in use
 * (https://github.com/meta-llama/llama-cookbook/pull/41), which is 0.37 of what comes and goes there; layers gathered in 4 bit
 * leave 0.13 (bench/sizing/references/fsdp.json).
 */
const cutUp = { wide: 0.37, quantised: 0.13 } as const;

/** The holes of sharded weights that are gathered layer by layer; `passingMiB` is what a pass makes and frees. */
export function gatheringHoles(
  { sharding, method }: TrainingWorkload,
  passingMiB: number,
): readonly MemoryPart[] {
  if (sharding !== "fsdp") return [];
  const share = method === "qlora" ? cutUp.quantised : cutUp.wide;
  const bytes = share * passingMiB * 1024 ** 2;
  return [
    partOf("fragmentation", bytes, { below: 0.7, above: 0.6 }, "blocks of gathered layers, cut up"),
  ];
}

/** What training takes on each GPU besides states and activations. `loadedMiB` is what the weights take. */
export function trainingRuntime(
  shape: ModelShape,
  workload: TrainingWorkload,
  split: TrainingParallelism,
  loadedMiB: number,
): readonly MemoryPart[] {
  const { dataParallel, tensorParallel, pipelineParallel } = split;
  const holes = unused.gib * gibi + unused.share * loadedMiB * 1024 ** 2;
  const wide = { below: 0.5, above: 1 };
  const parts: MemoryPart[] = [
    { name: "runtime", ...context, why: "CUDA context and libraries" },
    partOf("weights", gathered(shape, workload), wide, "gathered layers and buckets"),
    partOf("fragmentation", holes, { below: 0.8, above: 1 }, "blocks that the allocator holds"),
  ];
  if (dataParallel * tensorParallel * pipelineParallel > 1) {
    parts.push({ name: "communication", ...nccl, why: "NCCL's buffers between the GPUs" });
  }
  return parts;
}
