import { counted } from "../../counted.ts";
import type { Refusal } from "../constraints.ts";
import type { TrainingJob } from "../job.ts";
import { shapeOf } from "../model-shape.ts";
import { divisorsOf, trainingSplits } from "../splits.ts";
import { learningBytes } from "../training-states.ts";
import type { MegatronSettings, TrainingParallelism } from "../workload.ts";
import { stageLayers } from "./megatron-shape.ts";
import {
  contextProblem,
  interleavingProblem,
  megatronProblem,
  megatronSplitProblem,
} from "./megatron-split.ts";
import { passesFor, type TrainingLayout } from "./training-layout.ts";

/** The GPUs that a training is laid out over. */
export interface GpuGrid {
  readonly nodes: number;
  readonly gpusPerNode: number;
  /** Whether the GPUs of a node are joined by NVLink. */
  readonly nvlink: boolean;
  /** Whether a GPU computes in bf16. */
  readonly bf16: boolean;
}

/** Data parallel over all GPUs, states shared out by FSDP unless the user says how. */
export function huggingFaceLayout(job: TrainingJob, grid: GpuGrid): TrainingLayout {
  const { nodes, gpusPerNode } = grid;
  const { workload, globalBatch } = job;
  const dataParallel = nodes * gpusPerNode;
  const { microBatch } = workload;
  const passes = passesFor(globalBatch, microBatch, dataParallel);
  const sharding = workload.sharding ?? (dataParallel > 1 ? "fsdp" : undefined);
  return {
    framework: "hugging-face",
    nodes,
    gpusPerNode,
    dataParallel,
    tensorParallel: 1,
    pipelineParallel: 1,
    workload: { ...workload, sharding },
    passes,
    globalBatch: passes * microBatch * dataParallel,
  };
}

/** Groups of layers for each stage that are tried; more of them leave the pipeline less idle, and exchange more. */
const virtualStagesTried = [1, 2, 3, 4, 6] as const;

/** Tokens of a sequence for each GPU below which it is not shared out further unless that is asked for. */
const leastContextTokens = 4096;

function asked({ wishes }: TrainingJob, split: TrainingParallelism): boolean {
  const { tensorParallel, pipelineParallel } = wishes;
  return (
    (tensorParallel === undefined || tensorParallel === split.tensorParallel) &&
    (pipelineParallel === undefined || pipelineParallel === split.pipelineParallel)
  );
}

/** Over how many of the GPUs that would learn from other sequences one sequence may be shared out. */
function contextSizes({ wishes, workload }: TrainingJob, dataParallel: number): readonly number[] {
  const { contextParallel } = wishes;
  const { sequenceTokens } = workload;
  const sizes = contextParallel === undefined ? divisorsOf(dataParallel) : [contextParallel];
  return sizes.filter(
    (size) =>
      dataParallel % size === 0 &&
      contextProblem(sequenceTokens, size) === undefined &&
      (size === 1 || contextParallel !== undefined || sequenceTokens / size >= leastContextTokens),
  );
}

/** Over how many of the GPUs that NVLink joins the experts of a layer may be shared out: what both divide by. */
function expertSizes({ model, wishes }: TrainingJob, grid: GpuGrid): readonly number[] {
  if (wishes.expertParallel !== undefined) return [wishes.expertParallel];
  const { experts } = model;
  if (experts === undefined || !grid.nvlink) return [1];
  return divisorsOf(grid.gpusPerNode).filter((size) => experts.count % size === 0);
}

/** How sequences and experts are shared out within a split, with what is left of its data parallelism. */
function groupsWithin(job: TrainingJob, grid: GpuGrid, split: TrainingParallelism) {
  // They exchange in each layer, as tensor parallelism does, and what PCIe takes for it is in no source.
  const joined = grid.nvlink || grid.gpusPerNode === 1;
  const able = (size: number) => size === 1 || joined;
  const experts = expertSizes(job, grid).filter(able);
  return contextSizes(job, split.dataParallel)
    .filter(able)
    .flatMap((contextParallel) =>
      experts.map((expertParallel) => ({
        split: { ...split, dataParallel: split.dataParallel / contextParallel },
        groups: {
          ...(contextParallel === 1 ? {} : { contextParallel }),
          ...(expertParallel === 1 ? {} : { expertParallel }),
        },
      })),
    );
}

/** Tensor parallelism stays within the GPUs that NVLink joins: it exchanges four times in each layer. */
function withinNode({ tensorParallel }: TrainingParallelism, grid: GpuGrid): boolean {
  if (tensorParallel === 1) return true;
  return grid.nvlink && grid.gpusPerNode % tensorParallel === 0;
}

/** Ways of Megatron-LM to use all GPUs of a grid whose states lie alike. */
export interface MegatronFamily {
  readonly split: TrainingParallelism;
  readonly settings: Omit<MegatronSettings, "virtualStages">;
  readonly passes: number;
}

/** One of them. */
export interface MegatronWay extends MegatronFamily {
  readonly settings: MegatronSettings;
  /** Activations are made a second time. */
  readonly again: boolean;
}

function familyWithin(
  { workload, globalBatch, model }: TrainingJob,
  { split, groups }: ReturnType<typeof groupsWithin>[number],
): readonly MegatronFamily[] {
  const passes = passesFor(globalBatch, workload.microBatch, split.dataParallel);
  const even = shapeOf(model).layers % split.pipelineParallel === 0;
  const settings = { ...groups, ...(even ? {} : { tablesAsLayers: true }) };
  const problem = megatronSplitProblem(model, split, { virtualStages: 1, ...settings }, passes);
  return problem === undefined ? [{ split, settings, passes }] : [];
}

/**
 * Every way in which Megatron-LM uses all of these GPUs, but for groups of layers and activations: tensor x context x pipeline x
 * data parallel, experts over the GPUs of a stage. Empty when the model or its method is not one for it.
 */
export function megatronFamilies(job: TrainingJob, grid: GpuGrid): readonly MegatronFamily[] {
  const { model, workload } = job;
  if (!grid.bf16 || megatronProblem(model, workload) !== undefined) return [];
  return trainingSplits(grid.nodes * grid.gpusPerNode)
    .filter((split) => withinNode(split, grid) && asked(job, split))
    .flatMap((split) => groupsWithin(job, grid, split))
    .flatMap((within) => familyWithin(job, within));
}

/**
 * Its ways: with and without interleaving, with the activations kept but for attention's scores, or made again layer by layer
 * where the request leaves that open. What makes them again comes right after what keeps them.
 */
export function waysOf(
  { workload, model }: TrainingJob,
  { split, settings, passes }: MegatronFamily,
): readonly MegatronWay[] {
  const { tablesAsLayers } = settings;
  const layers = stageLayers(shapeOf(model), split.pipelineParallel, tablesAsLayers);
  const ways: MegatronWay[] = [];
  for (const virtualStages of virtualStagesTried) {
    const dealt = { virtualStages, ...settings };
    if (interleavingProblem(dealt, split, { layers, passes }) !== undefined) continue;
    ways.push({ split, settings: dealt, passes, again: false });
    if (workload.gradientCheckpointing) ways.push({ split, settings: dealt, passes, again: true });
  }
  return ways;
}

/** The whole layout of a way. */
export function layoutOfWay(
  { workload }: TrainingJob,
  { nodes, gpusPerNode }: GpuGrid,
  { split, settings, passes, again }: MegatronWay,
): TrainingLayout {
  return {
    framework: "megatron",
    nodes,
    gpusPerNode,
    ...split,
    workload: {
      ...workload,
      megatron: settings,
      gradientCheckpointing: again,
      gradientAccumulation: passes,
      packing: true,
    },
    passes,
    globalBatch: passes * workload.microBatch * split.dataParallel,
  };
}

const groupNames = {
  tensorParallel: "tensor",
  contextParallel: "context",
  expertParallel: "expert",
} as const;

/** Groups larger than one that were asked for and that exchange in each layer. */
function exchangingGroups({ wishes }: TrainingJob): readonly string[] {
  return Object.entries(groupNames).flatMap(([kind, name]) => {
    const size = wishes[kind as keyof typeof groupNames] ?? 1;
    return size > 1 ? [`${name} ${size}`] : [];
  });
}

/** Why Megatron-LM has no way over these GPUs, where the model and the request have some over others. */
export function noLayout(job: TrainingJob, grid: GpuGrid): Refusal {
  if (!grid.bf16) {
    return { kind: "software", reason: "its GPU has no bf16, in which Megatron-LM trains" };
  }
  return { kind: "interconnect", reason: undividedReason(job, grid) };
}

function undividedReason(job: TrainingJob, grid: GpuGrid): string {
  const { nodes, gpusPerNode, nvlink } = grid;
  const { tensorParallel = 1, pipelineParallel = 1 } = job.wishes;
  const gpus = counted(nodes * gpusPerNode, "GPU");
  const groups = exchangingGroups(job);
  if (groups.length > 0 && !nvlink && gpusPerNode > 1) {
    return `its GPUs are joined by PCIe, and ${groups.join(" and ")} parallel is laid out over NVLink alone`;
  }
  if (gpusPerNode % tensorParallel !== 0) {
    return `its ${counted(gpusPerNode, "GPU")} do not divide into tensor-parallel groups of ${tensorParallel}`;
  }
  return (nodes * gpusPerNode) % (tensorParallel * pipelineParallel) === 0
    ? `the model cannot be laid out over its ${gpus} as asked`
    : `its ${gpus} do not divide into tensor ${tensorParallel} x pipeline ${pipelineParallel}`;
}

/** GPUs that hold no more than so many bytes of each parameter; of frozen weights it is two. */
function gpusFor({ model, workload }: TrainingJob, usableMiB: number, bytes: number): number {
  const { method, offload = "none" } = workload;
  if (method === "qlora" || offload !== "none" || model.task === "image-generation") return 1;
  const held = shapeOf(model).parameters * (method === "lora" ? 2 : bytes);
  return Math.ceil(held / (usableMiB * 1024 ** 2));
}

/** GPUs that hold no more than the states of all weights: fewer are never enough, for Megatron-LM's are no fewer bytes. */
export function leastGpus(job: TrainingJob, usableMiB: number): number {
  return gpusFor(job, usableMiB, learningBytes(job.workload));
}

/** GPUs that hold no more than weights and gradients: with fewer, no layout is near. */
export function nearGpus(job: TrainingJob, usableMiB: number): number {
  return gpusFor(job, usableMiB, job.workload.precision === "bf16" ? 4 : 6);
}
