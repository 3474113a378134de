import type { Model } from "../catalogue/model.ts";
import { trainingDemand } from "../sizing/training-demand.ts";
import { verdict } from "../sizing/verdict.ts";
import type { TrainingWorkload } from "../sizing/workload.ts";

/** How the sequences of one step of the optimiser are spread. */
export interface BatchPlan {
  /** GPUs that learn from different sequences. */
  readonly worldSize: number;
  /** Sequences of one pass on one GPU. */
  readonly microBatch: number;
  /** Passes whose gradients are added up before a step. */
  readonly gradientAccumulation: number;
  /** Sequences of one step: the three above, multiplied. */
  readonly globalBatch: number;
}

/** So many GPUs, in words. */
export function gpus(count: number): string {
  return count === 1 ? "1 GPU" : `${count} GPUs`;
}

/** What the batch is worked out from. */
export interface BatchQuestion {
  readonly model: Model;
  /** As it is on that many GPUs. */
  readonly workload: TrainingWorkload;
  readonly worldSize: number;
  /** Usable memory of one GPU, MiB. */
  readonly gpuMemoryMiB: number;
  /** Sequences of one step that are wanted; a whole number of passes may make it more. */
  readonly globalBatch: number;
  /** False keeps the workload's own micro batch, because the user named it. */
  readonly grow: boolean;
}

/** Beyond this a pass of a fine-tuning has work enough for any GPU. */
const largestMicroBatch = 16;

function comfortable(question: BatchQuestion, microBatch: number): boolean {
  const { model, workload, worldSize, gpuMemoryMiB } = question;
  const parallelism = { dataParallel: worldSize, tensorParallel: 1, pipelineParallel: 1 };
  // run.sh has PyTorch's allocator grow its segments, which is as good against holes as sequences of one length.
  const demand = trainingDemand(model, { ...workload, microBatch, packing: true }, parallelism);
  return verdict(demand, gpuMemoryMiB).comfortable;
}

/** The largest micro batch, in powers of two, that the step can use and the GPU holds with room to spare. */
function largestThatFits(question: BatchQuestion): number {
  const { workload, worldSize, globalBatch, grow } = question;
  let microBatch = workload.microBatch;
  if (!grow) return microBatch;
  const limit = Math.min(largestMicroBatch, Math.max(1, Math.floor(globalBatch / worldSize)));
  while (microBatch * 2 <= limit && comfortable(question, microBatch * 2)) microBatch *= 2;
  return microBatch;
}

/** Micro batch and accumulation for a step of about so many sequences; pure. */
export function batchPlan(question: BatchQuestion): BatchPlan {
  const { worldSize } = question;
  const microBatch = largestThatFits(question);
  const gradientAccumulation = Math.ceil(question.globalBatch / (microBatch * worldSize));
  return {
    worldSize,
    microBatch,
    gradientAccumulation,
    globalBatch: microBatch * worldSize * gradientAccumulation,
  };
}
