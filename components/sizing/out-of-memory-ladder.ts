import type { Model } from "../catalogue/model.ts";
import type { MemoryDemand } from "./memory-part.ts";
import { trainingDemand } from "./training-demand.ts";
import { verdict } from "./verdict.ts";
import type { TrainingParallelism, TrainingWorkload } from "./workload.ts";

/** The machine that training is tried on. */
export interface TrainingMachine {
  /** Of each GPU. */
  readonly usableMiB: number;
  readonly gpuCount: number;
}

/** One thing to change when training runs out of memory. Each is made on top of those before it. */
export interface Rung {
  readonly name:
    | "as-asked"
    | "gradient-checkpointing"
    | "16-bit"
    | "smaller-batch"
    | "lora"
    | "int8"
    | "offload"
    | "larger-machine";
  /** What is changed, one sentence. */
  readonly change: string;
  /** What it costs in time or quality, one sentence. */
  readonly cost: string;
  readonly workload: TrainingWorkload;
  readonly demand: MemoryDemand;
  /** Less than the rung before it, on each GPU. */
  readonly savesMiB: number;
  readonly fits: boolean;
}

interface Step {
  readonly name: Rung["name"];
  readonly change: string;
  readonly cost: string;
  /** Undefined where there is nothing to change. */
  readonly apply: (workload: TrainingWorkload) => TrainingWorkload | undefined;
}

function smallerBatch(workload: TrainingWorkload): TrainingWorkload | undefined {
  const { microBatch, gradientAccumulation = 1 } = workload;
  if (microBatch === 1) return undefined;
  return { ...workload, microBatch: 1, gradientAccumulation: gradientAccumulation * microBatch };
}

function eightBit(workload: TrainingWorkload): TrainingWorkload | undefined {
  if (workload.method === "qlora" || workload.optimizer === "adamw-8bit") return undefined;
  if (workload.method === "lora") return { ...workload, method: "qlora", quantisation: "int8" };
  return { ...workload, optimizer: "adamw-8bit" };
}

const steps: readonly Step[] = [
  {
    name: "gradient-checkpointing",
    change: "keep a checkpoint of each layer and compute the rest again",
    cost: "about a third more time a step; the result is the same",
    apply: (workload) =>
      workload.gradientCheckpointing ? undefined : { ...workload, gradientCheckpointing: true },
  },
  {
    name: "16-bit",
    change: "hold weights, gradients and moments in bf16",
    cost: "faster; small updates may be lost to rounding",
    apply: (workload) =>
      workload.precision === "bf16" ? undefined : { ...workload, precision: "bf16" },
  },
  {
    name: "smaller-batch",
    change: "one sequence at a time, and add the gradients up",
    cost: "somewhat more time; the result is the same",
    apply: smallerBatch,
  },
  {
    name: "lora",
    change: "train adapters of rank 16 beside frozen weights",
    cost: "faster; learns less that is new than full fine-tuning",
    apply: (workload) => (workload.method === "full" ? { ...workload, method: "lora" } : undefined),
  },
  {
    name: "int8",
    change: "hold the frozen weights in 8 bit",
    cost: "about a third more time a step; a small loss of quality",
    apply: eightBit,
  },
  {
    name: "offload",
    change: "hold optimiser and weights in the host's memory",
    cost: "several times slower: every layer crosses the bus at each step",
    apply: (workload) =>
      workload.offload === "optimizer-and-weights"
        ? undefined
        : { ...workload, offload: "optimizer-and-weights" },
  },
];

const narrowMoments: Step = {
  name: "int8",
  change: "hold the optimizer's moments in 8 bit",
  cost: "hardly slower; the result is nearly the same",
  apply: (workload) =>
    workload.method === "lora" || workload.optimizer === "adamw-8bit"
      ? undefined
      : { ...workload, optimizer: "adamw-8bit" },
};

/** Of an image model: its denoiser has no 16-bit training and no offload that was measured. */
const imageSteps: readonly Step[] = [
  ...steps.filter(({ name }) => name === "gradient-checkpointing" || name === "smaller-batch"),
  narrowMoments,
  ...steps.filter(({ name }) => name === "lora"),
];

/**
 * What to change, in the order in which it is tried, until training fits; the last rung is a larger machine when nothing
 * else is enough. The first rung is the workload as it was asked. Pure.
 *
 * @throws UserError as {@link trainingDemand}
 */
export function outOfMemoryLadder(
  model: Model,
  workload: TrainingWorkload,
  machine: TrainingMachine,
): readonly Rung[] {
  const split: TrainingParallelism = {
    dataParallel: machine.gpuCount,
    tensorParallel: 1,
    pipelineParallel: 1,
  };
  const weigh = (candidate: TrainingWorkload) => trainingDemand(model, candidate, split);
  const holds = (demand: MemoryDemand) => verdict(demand, machine.usableMiB).fits;
  const first = weigh(workload);
  const rungs: Rung[] = [
    {
      name: "as-asked",
      change: "nothing",
      cost: "nothing",
      workload,
      demand: first,
      savesMiB: 0,
      fits: holds(first),
    },
  ];
  let current = rungs[0];
  for (const { apply, ...step } of model.task === "image-generation" ? imageSteps : steps) {
    if (current === undefined || current.fits) return rungs;
    const changed = apply(current.workload);
    if (changed === undefined) continue;
    const demand = weigh(changed);
    const savesMiB = current.demand.totalMiB - demand.totalMiB;
    current = { ...step, workload: changed, demand, savesMiB, fits: holds(demand) };
    rungs.push(current);
  }
  if (current !== undefined && !current.fits) {
    rungs.push({
      ...current,
      name: "larger-machine",
      change: "take GPUs with more memory, or more of them",
      cost: "a higher price an hour",
      savesMiB: 0,
    });
  }
  return rungs;
}
