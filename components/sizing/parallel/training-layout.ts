import type { TrainingParallelism, TrainingWorkload } from "../workload.ts";

/** What trains: Hugging Face's Trainer with FSDP or DeepSpeed, or Megatron-LM. */
export const frameworks = ["hugging-face", "megatron"] as const;

/** One of {@link frameworks}. */
export type TrainingFramework = (typeof frameworks)[number];

/** How a training is laid out over hosts and their GPUs. */
export interface TrainingLayout extends TrainingParallelism {
  readonly framework: TrainingFramework;
  /** Hosts of one type, side by side in a placement group. */
  readonly nodes: number;
  readonly gpusPerNode: number;
  /** As it runs so: sharding, passes and Megatron-LM's settings are set. */
  readonly workload: TrainingWorkload;
  /** Passes of one step on each GPU, whose gradients are added up. */
  readonly passes: number;
  /** Sequences of one step of the optimiser. */
  readonly globalBatch: number;
}

/** Passes of a step of about so many sequences: a whole number of them, and one at least. */
export function passesFor(globalBatch: number, microBatch: number, dataParallel: number): number {
  return Math.max(1, Math.ceil(globalBatch / (microBatch * dataParallel)));
}

/** GPUs that share out one sequence, and those that share out the experts of a layer; 1 for other trainings. */
export function groupsOf({ workload }: Pick<TrainingLayout, "workload">): {
  readonly contextParallel: number;
  readonly expertParallel: number;
} {
  const { contextParallel = 1, expertParallel = 1 } = workload.megatron ?? {};
  return { contextParallel, expertParallel };
}

/** Groups of layers that a stage of Megatron-LM holds; 1 for other trainings. */
export function virtualStagesOf({ workload }: Pick<TrainingLayout, "workload">): number {
  return workload.megatron?.virtualStages ?? 1;
}
