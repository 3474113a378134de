import type { Accelerator } from "../../catalogue/accelerator.ts";
import { middle } from "../../range.ts";
import { clusterStep, type ClusterStep } from "../../throughput/cluster-step.ts";
import { densePeakTflops } from "../../throughput/dense-peak.ts";
import type { Refusal } from "../constraints.ts";
import type { TrainingJob } from "../job.ts";
import type { MemoryDemand } from "../memory-part.ts";
import { shapeOf } from "../model-shape.ts";
import { trainingDemand } from "../training-demand.ts";
import { trainedParameters } from "../training-states.ts";
import { verdict } from "../verdict.ts";
import { huggingFaceLayout, leastGpus, megatronLayouts, type GpuGrid } from "./layouts.ts";
import { virtualStagesOf, type TrainingLayout } from "./training-layout.ts";

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
  const { parameters, layers, hiddenSize } = shape;
  const { trained, tables } = trainedParameters(shape, workload);
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
      weightsSharded: sharding === "fsdp" || sharding === "zero-3",
    },
    { ...layout, virtualStages: virtualStagesOf(layout) },
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

function weighed(job: TrainingJob, layout: TrainingLayout): WeighedLayout {
  const { dataParallel, tensorParallel, pipelineParallel, workload } = layout;
  const split = { dataParallel, tensorParallel, pipelineParallel };
  return { layout, demand: trainingDemand(job.model, workload, split) };
}

function fastest(
  job: TrainingJob,
  hosts: TrainingHosts,
  layouts: readonly WeighedLayout[],
): WeighedLayout | undefined {
  const paces = new Map(layouts.map((each) => [each, pace(job, each.layout, hosts)]));
  const size = ({ layout }: WeighedLayout) => layout.tensorParallel * layout.pipelineParallel;
  const of = (each: WeighedLayout) => paces.get(each) ?? Infinity;
  return layouts.toSorted((a, b) => (of(a) === of(b) ? size(a) - size(b) : of(a) - of(b)))[0];
}

interface Found {
  readonly simple: WeighedLayout | undefined;
  readonly megatron: () => readonly WeighedLayout[];
}

/** The simple way where it does, Megatron-LM where it alone does or is well faster over several hosts. */
function better(
  job: TrainingJob,
  hosts: TrainingHosts,
  { simple, megatron }: Found,
  holds: (each: WeighedLayout) => boolean,
): WeighedLayout | undefined {
  const plain = simple !== undefined && holds(simple) ? simple : undefined;
  if (plain !== undefined && hosts.nodes === 1) return plain;
  const other = fastest(job, hosts, megatron().filter(holds));
  if (plain === undefined || other === undefined) return plain ?? other;
  const gained = pace(job, other.layout, hosts) / pace(job, plain.layout, hosts);
  return gained <= worthIt ? other : plain;
}

/**
 * The layout of a training on so many hosts: with room to spare where one has it, else one that runs; of these Hugging Face's
 * way first, and of Megatron-LM's the fastest. Pure.
 *
 * @throws UserError when the catalogue lacks a figure that it takes
 */
export function chooseLayout(job: TrainingJob, hosts: TrainingHosts): WeighedLayout | Refusal {
  const { nodes, gpusPerNode, nvlink, usableMiB, accelerator } = hosts;
  const grid: GpuGrid = { nodes, gpusPerNode, nvlink, bf16: accelerator.supportsBf16 === true };
  const { framework } = job.wishes;
  const simple = framework === "megatron" ? undefined : weighed(job, huggingFaceLayout(job, grid));
  let known: readonly WeighedLayout[] | undefined;
  const never = framework === "hugging-face" || nodes * gpusPerNode < leastGpus(job, usableMiB);
  const megatron = () =>
    (known ??= never ? [] : megatronLayouts(job, grid).map((layout) => weighed(job, layout)));
  const found: Found = { simple, megatron };
  const comfortable = ({ demand }: WeighedLayout) => verdict(demand, usableMiB).comfortable;
  const fits = ({ demand }: WeighedLayout) => verdict(demand, usableMiB).fits;
  const chosen = better(job, hosts, found, comfortable) ?? better(job, hosts, found, fits);
  if (chosen !== undefined) return chosen;
  const all = [...(simple === undefined ? [] : [simple]), ...megatron()];
  const nearest = all.toSorted((a, b) => a.demand.highMiB - b.demand.highMiB)[0];
  const reason =
    nearest === undefined
      ? "the model cannot be laid out over its GPUs as asked"
      : verdict(nearest.demand, usableMiB).reason;
  return { kind: "memory", reason };
}
