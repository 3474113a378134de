import type { Model } from "../catalogue/model.ts";
import { sizeOf, type SizeDemand } from "./disk-demand.ts";
import { shapeOf } from "./model-shape.ts";
import { trainedParameters } from "./training-states.ts";
import { nativeWeightBytes } from "./weight-layout.ts";
import type { Task, TrainingWorkload } from "./workload.ts";

const gibi = 1024 ** 3;
/** Operating system and agents. */
const systemGiB = 4;
/** PyTorch, CUDA's host side and the tokenizer, of one process. */
const processGiB = 3;
/** Largest shard of most checkpoints on Hugging Face. */
const shardGiB = 5;

/** Bytes that offloading keeps in the host's memory. */
function offloadedBytes(model: Model, training: TrainingWorkload): number {
  const { offload = "none" } = training;
  if (offload === "none") return 0;
  const { trained, frozen } = trainedParameters(shapeOf(model), training);
  // DeepSpeed's own estimate (deepspeed/runtime/zero/stage3.py): 16 to 18 bytes, half as much again for pinned buffers.
  const states = trained * 16 * 1.5;
  return states + (offload === "optimizer-and-weights" ? frozen * 2 * 1.5 : 0);
}

/**
 * What the host's memory has to hold to load the model on so many GPUs, one process each: the largest shard of each process,
 * whose pages the operating system shares and drops again, and what is offloaded.
 *
 * @throws UserError when the catalogue lacks a figure that it takes
 */
export function hostMemoryDemand(
  model: Model,
  task: Task,
  workload: {
    readonly gpuCount: number;
    /** Hosts that share out what is offloaded. @default 1 */
    readonly nodes?: number;
    readonly training?: TrainingWorkload | undefined;
  },
): SizeDemand {
  const { gpuCount, nodes = 1, training } = workload;
  const weightsGiB = nativeWeightBytes(model) / gibi;
  const shard = Math.min(weightsGiB, shardGiB) * gpuCount;
  const offloaded = training === undefined ? 0 : offloadedBytes(model, training) / nodes / gibi;
  return sizeOf([
    { name: "system", gib: systemGiB, why: "operating system and its services" },
    { name: "processes", gib: processGiB * gpuCount, why: `${gpuCount} of ${task}` },
    { name: "loading", gib: shard, why: "the largest shard of each process" },
    { name: "offloaded", gib: offloaded, why: "states that are not on a GPU" },
  ]);
}
