import type { Accelerator } from "../../catalogue/accelerator.ts";
import { middle } from "../../range.ts";
import { clusterStep, type ClusterStep } from "../../throughput/cluster-step.ts";
import type { ExpertWork } from "../../throughput/cluster-traffic.ts";
import { densePeakTflops } from "../../throughput/dense-peak.ts";
import type { Refusal } from "../constraints.ts";
import type { TrainingJob } from "../job.ts";
import type { MemoryDemand } from "../memory-part.ts";
import { shapeOf, type ModelShape } from "../model-shape.ts";
import { trainedParameters } from "../training-states.ts";
import { holding, verdict } from "../verdict.ts";
import type { LayoutBook, LayoutOption, LayoutOptions } from "./layout-book.ts";
import { leastGpus, nearGpus, noLayout, type GpuGrid } from "./layouts.ts";
import { expertParameters } from "./megatron-shape.ts";
import { groupsOf, virtualStagesOf, type TrainingLayout } from "./training-layout.ts";

/** Hosts of one type. */
export interface TrainingHosts {
  readonly accelerator: Accelerator;
  /** Of one GPU. */
  readonly usableMiB: number;
  readonly nodes: number;
  readonly gpusPerNode: number;
  readonly nvlink: boolean;
  /** Of one node; undefined where it is not known. */
  readonly networkGbps: number | undefined;
}

/** A layout with what each GPU has to hold. */
export interface WeighedLayout {
  readonly layout: TrainingLayout;
  readonly demand: MemoryDemand;
}

function expertWork(shape: ModelShape, method: string): ExpertWork | undefined {
  if (shape.experts === undefined) return undefined;
  const trained = method === "full" ? expertParameters(shape) : 0;
  return { perToken: shape.experts.perToken, trainedParameters: trained };
}

/** One step of the job as it is laid out; undefined where the GPU's peak is not known. */
export function stepOf(
  job: TrainingJob,
  layout: TrainingLayout,
  hosts: Omit<TrainingHosts, "usableMiB">,
): ClusterStep | undefined {
  const tflops = densePeakTflops(hosts.accelerator);
  if (tflops === undefined) return undefined;
  const shape = shapeOf(job.model);
  const { workload } = layout;
  const { method, sequenceTokens, microBatch, gradientCheckpointing, sharding } = workload;
  const { parameters, layers, hiddenSize, kvHeads, headDimension } = shape;
  const { trained, tables } = trainedParameters(shape, workload);
  const megatron = layout.framework === "megatron";
  return clusterStep(
    {
      method,
      parameters,
      activeParameters: Math.min(job.model.activeParameters ?? parameters, parameters),
      trainedParameters: trained + tables,
      layers,
      hiddenSize,
      sequenceTokens,
      microBatch,
      gradientCheckpointing,
      weightsSharded: !megatron && (sharding === "fsdp" || sharding === "zero-3"),
      keyValueNumbers: 2 * kvHeads * headDimension,
      experts: megatron ? expertWork(shape, method) : undefined,
    },
    { ...layout, ...groupsOf(layout), virtualStages: virtualStagesOf(layout) },
    {
      tflops,
      nvlink: hosts.nvlink,
      nvlinkGBs: hosts.accelerator.nvlinkGBs,
      networkGbps: hosts.networkGbps ?? 0,
    },
  );
}

/** Seconds of a token in the middle of the range: what layouts of the same GPUs are compared by. */
function pace(job: TrainingJob, layout: TrainingLayout, hosts: TrainingHosts): number {
  const step = stepOf(job, layout, hosts);
  return step === undefined ? Infinity : middle(step.stepSeconds) / step.tokensPerStep;
}

/** Megatron-LM is taken from several hosts on where it takes no more than this share of the time. */
const worthIt = 0.8;

function fastest(
  job: TrainingJob,
  hosts: TrainingHosts,
  options: readonly LayoutOption[],
): LayoutOption | undefined {
  const paces = new Map(options.map((each) => [each, pace(job, each.layout, hosts)]));
  const size = ({ layout }: LayoutOption) => layout.tensorParallel * layout.pipelineParallel;
  const of = (each: LayoutOption) => paces.get(each) ?? Infinity;
  return options.toSorted((a, b) => (of(a) === of(b) ? size(a) - size(b) : of(a) - of(b)))[0];
}

/** The simple way where it does, Megatron-LM where it alone does or is well faster over several hosts. */
function better(
  job: TrainingJob,
  hosts: TrainingHosts,
  { simple, megatron }: LayoutOptions,
  wanted: "comfortable" | "fits",
): LayoutOption | undefined {
  const { usableMiB } = hosts;
  const holds = ({ need }: LayoutOption) => holding(need, usableMiB)[wanted];
  const plain = simple !== undefined && holds(simple) ? simple : undefined;
  // Adapters stay with the program that most use, wherever that has room.
  const first = hosts.nodes === 1 || job.workload.method !== "full";
  if (plain !== undefined && first) return plain;
  const held = megatron()
    .filter(({ leastMiB }) => leastMiB <= usableMiB)
    .flatMap(({ options }) => options)
    .filter((each) => (each.kept === undefined || !holds(each.kept)) && holds(each));
  const other = fastest(job, hosts, held);
  if (plain === undefined || other === undefined) return plain ?? other;
  const gained = pace(job, other.layout, hosts) / pace(job, plain.layout, hosts);
  return gained <= worthIt ? other : plain;
}

/** The demand with the least upper end, the first of several. */
function nearest({ simple, megatron }: LayoutOptions): MemoryDemand | undefined {
  let best = simple;
  for (const { leastMiB, options } of megatron()) {
    for (const option of options) {
      const limit = best?.need.highMiB ?? Infinity;
      if (leastMiB < limit && option.need.highMiB < limit) best = option;
    }
  }
  return best?.demand;
}

/** Why none of them does: the need of the nearest one, or what keeps these GPUs from being shared out so. */
function noneHolds(
  job: TrainingJob,
  { usableMiB, ...grid }: GpuGrid & Pick<TrainingHosts, "usableMiB">,
  options: LayoutOptions,
): Refusal {
  const demand = nearest(options);
  return demand === undefined
    ? noLayout(job, grid)
    : { kind: "memory", reason: verdict(demand, usableMiB).reason };
}

/** A layout, or what says why there is none: that takes a search of its own, and is not always wanted. */
export type LayoutChoice = WeighedLayout | (() => Refusal);

/**
 * The layout of a training on so many hosts: with room to spare where one has it, else one that runs; of these Hugging Face's
 * way first, and of Megatron-LM's the fastest.
 *
 * @throws UserError when the catalogue lacks a figure that it takes
 */
export function chooseLayout(
  job: TrainingJob,
  hosts: TrainingHosts,
  book: LayoutBook,
): LayoutChoice {
  const { nodes, gpusPerNode, nvlink, usableMiB, accelerator } = hosts;
  const grid = { nodes, gpusPerNode, nvlink, bf16: accelerator.supportsBf16 === true };
  const options = book(grid);
  const gpus = nodes * gpusPerNode;
  const few = gpus < leastGpus(job, usableMiB);
  const chosen = few
    ? undefined
    : (better(job, hosts, options, "comfortable") ?? better(job, hosts, options, "fits"));
  if (chosen === undefined) {
    // Where Megatron-LM alone is asked for, one of its ways has to say what lacks, though none was a candidate.
    const far = gpus < nearGpus(job, usableMiB) && options.simple !== undefined;
    const told = far ? { ...options, megatron: () => [] } : options;
    return () => noneHolds(job, { ...grid, usableMiB }, told);
  }
  return { layout: chosen.layout, demand: chosen.demand };
}
