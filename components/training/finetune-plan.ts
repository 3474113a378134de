import type { Accelerator } from "../catalogue/accelerator.ts";
import { asksForLicence } from "../catalogue/licence.ts";
import { compareVersions } from "../compare-versions.ts";
import type { Rung } from "../plan-report/report.ts";
import type { Range } from "../range.ts";
import { defaultLora } from "../sizing/adapter-parameters.ts";
import type { Decision } from "../sizing/decide.ts";
import { workloadOn, type TrainingJob } from "../sizing/job.ts";
import type { SoftwareStack } from "../sizing/software-stack.ts";
import { trainingDemand } from "../sizing/training-demand.ts";
import { verdict } from "../sizing/verdict.ts";
import type { TrainingFramework } from "../sizing/parallel/training-layout.ts";
import type { TrainingParallelism, TrainingWorkload } from "../sizing/workload.ts";
import { UserError } from "../user-error.ts";
import { batchPlan, type BatchPlan } from "./batch-plan.ts";

/** What a fine-tuning is told besides what the planner is asked. */
export interface FinetuneWishes {
  /** A Hugging Face repository, or a folder where the model lies. @default the catalogue's repository */
  readonly baseModel?: string | undefined;
  /** Sequences of one step of the optimiser. @default 16, or one for each GPU where there are more */
  readonly globalBatch?: number | undefined;
  /** The user named the micro batch, so that it is not made larger. */
  readonly fixedMicroBatch: boolean;
  /** @default by method and size: 1e-5 for full, 2e-4 for adapters, 1e-4 above 30 billion parameters */
  readonly learningRate?: number | undefined;
  /** @default 15 */
  readonly checkpointMinutes?: number | undefined;
  /** Of order, dropout and the split of the data. @default 42 */
  readonly seed?: number | undefined;
}

/** A fine-tuning as it will run: made from data alone. */
export interface FinetunePlan {
  readonly modelId: string;
  readonly baseModel: string;
  readonly licence: string;
  readonly gated: boolean;
  readonly workload: TrainingWorkload;
  /** Number format of the arithmetic: bf16 where the GPU has it. */
  readonly arithmetic: "bf16" | "fp16" | "fp32";
  readonly batch: BatchPlan;
  readonly layout: FinetuneLayout;
  readonly loraRank: number;
  readonly learningRate: number;
  readonly epochs: number;
  readonly datasetTokens: number;
  readonly checkpointMinutes: number;
  readonly seed: number;
  readonly machine: {
    readonly instanceType: string;
    readonly region: string;
    readonly purchase: string;
    /** Hosts of the type. */
    readonly nodes: number;
    readonly gpuModel: string;
    /** Of one host. */
    readonly gpuCount: number;
    readonly efa: boolean;
    readonly hourlyUsd: number;
    readonly priceAsOf: string;
  };
  readonly memory: { readonly neededMiB: number; readonly usableMiB: number };
  readonly software: SoftwareStack;
  readonly rootVolumeGiB: number;
  /** Undefined where the GPU's rate is not known. */
  readonly jobHours: Range | undefined;
  readonly jobUsd: Range | undefined;
  readonly catalogueVersion: string;
}

/** What trains, and over which groups of GPUs. */
export interface FinetuneLayout extends TrainingParallelism {
  readonly framework: TrainingFramework;
  readonly contextParallel: number;
  readonly expertParallel: number;
  /** A mixture, whose experts the plan counts whole: tensor parallelism divides what is around them. */
  readonly wholeExperts: boolean;
  readonly virtualStages: number;
  readonly tablesAsLayers: boolean;
  /** Of one step; undefined where it is not known. */
  readonly stepSeconds: Range | undefined;
}

const defaultGlobalBatch = 16;

/**
 * QLoRA's rates: 2e-4 up to 13 billion parameters, 1e-4 for 33 and 65 billion (https://arxiv.org/abs/2305.14314, table 9);
 * training every weight takes about a tenth.
 */
function usualLearningRate(method: TrainingWorkload["method"], parameters: number): number {
  if (method === "full") return 1e-5;
  return parameters > 30e9 ? 1e-4 : 2e-4;
}

/** bf16 came with compute capability 8.0 (https://docs.nvidia.com/cuda/ampere-tuning-guide/). */
function hasBf16({ computeCapability }: Accelerator): boolean {
  return compareVersions(computeCapability, "8.0") >= 0;
}

/** What the decision needs from the catalogue around it. */
export interface FinetuneGround {
  readonly accelerators: readonly Accelerator[];
  readonly instanceTypes: readonly {
    readonly instanceType: string;
    readonly efa?: boolean | undefined;
  }[];
  readonly version: string;
}

function trainingJobOf({ job }: Decision): TrainingJob {
  if (job.task === "serve") throw new Error("a fine-tuning is planned as one");
  return job;
}

interface Chosen {
  readonly rung: Rung;
  readonly workload: TrainingWorkload;
  readonly arithmetic: FinetunePlan["arithmetic"];
}

function allGpus({ gpuCount, nodes = 1 }: Rung): number {
  return gpuCount * nodes;
}

/** The workload as Megatron-LM runs it on the rung; undefined where the Trainer does. */
function megatronWorkload(
  { workload }: TrainingJob,
  { layout }: Rung,
): TrainingWorkload | undefined {
  if (layout?.framework !== "megatron") return undefined;
  const { virtualStages, tablesAsLayers, gradientCheckpointing, passes } = layout;
  const { contextParallel, expertParallel } = layout;
  const megatron = { virtualStages, tablesAsLayers, contextParallel, expertParallel };
  return { ...workload, megatron, gradientCheckpointing, gradientAccumulation: passes };
}

/** The job as it runs on a rung; undefined when its GPU cannot do that in the memory it has. */
function onRung(job: TrainingJob, rung: Rung, accelerator: Accelerator): Chosen | undefined {
  const { gpuMemoryMiB } = rung;
  const byMegatron = megatronWorkload(job, rung);
  if (byMegatron !== undefined) return { rung, workload: byMegatron, arithmetic: "bf16" };
  const gpuCount = allGpus(rung);
  const workload = workloadOn(job.workload, gpuCount);
  const { precision, method } = workload;
  if (precision === "fp32") return { rung, workload, arithmetic: "fp32" };
  if (hasBf16(accelerator)) return { rung, workload, arithmetic: "bf16" };
  if (precision === "amp") return { rung, workload, arithmetic: "fp16" };
  // fp16 needs 32-bit copies of what it trains: small for adapters, the whole model else.
  if (method === "full") return undefined;
  const wider = { ...workload, precision: "amp" as const };
  const parallelism = { dataParallel: gpuCount, tensorParallel: 1, pipelineParallel: 1 };
  const { fits } = verdict(trainingDemand(job.model, wider, parallelism), gpuMemoryMiB);
  return fits ? { rung, workload: wider, arithmetic: "fp16" } : undefined;
}

/** The first rung of the ladder that can do it. */
function chooseRung({ ladder, model }: Decision, job: TrainingJob, ground: FinetuneGround): Chosen {
  for (const rung of ladder) {
    const accelerator = ground.accelerators.find((gpu) => gpu.model === rung.gpuModel);
    const chosen = accelerator && onRung(job, rung, accelerator);
    if (chosen !== undefined) return chosen;
  }
  const names = [...new Set(ladder.map(({ gpuModel }) => gpuModel))].join(", ");
  throw new UserError(`${names} has no bf16, which this training of ${model.id} asks for.`, {
    hint: "Add --training-precision amp, or take a newer GPU with --gpu-family.",
  });
}

function baseModelOf({ model }: Decision, { baseModel }: FinetuneWishes): string {
  const base = baseModel ?? model.huggingfaceRepo;
  if (base !== undefined) return base;
  throw new UserError(`The catalogue has no Hugging Face repository for ${model.id}.`, {
    hint: "Say with --base where the model lies: owner/name, or a folder.",
  });
}

/**
 * The fine-tuning of a decision whose ladder is not empty; pure.
 *
 * @throws UserError when no GPU of the ladder can do what was asked, or it is not known where the model lies
 */
export function finetunePlan(
  decision: Decision,
  wishes: FinetuneWishes,
  ground: FinetuneGround,
): FinetunePlan {
  const { model, rootVolumeGiB } = decision;
  const job = trainingJobOf(decision);
  const { rung, workload, arithmetic } = chooseRung(decision, job, ground);
  const { software, gpuMemoryMiB } = rung;
  const layout = layoutOf(rung, model);
  const { dataParallel, tensorParallel, pipelineParallel } = layout;
  const byMegatron = layout.framework === "megatron";
  if (software === undefined) throw new Error(`${rung.gpuModel} was placed without its software`);
  const batch = batchPlan({
    model,
    workload,
    worldSize: dataParallel,
    gpuMemoryMiB,
    globalBatch: wishes.globalBatch ?? Math.max(defaultGlobalBatch, dataParallel),
    // The passes of a pipeline were weighed with its memory and its idle time.
    grow: !wishes.fixedMicroBatch && !byMegatron,
  });
  const { microBatch, gradientAccumulation } = batch;
  const used = { ...workload, microBatch, gradientAccumulation };
  const split = { dataParallel, tensorParallel, pipelineParallel };
  return {
    modelId: model.id,
    baseModel: baseModelOf(decision, wishes),
    licence: model.licence ?? "unknown",
    gated: asksForLicence(model),
    workload: used,
    arithmetic,
    batch,
    layout,
    loraRank: workload.lora?.rank ?? defaultLora.rank,
    learningRate: wishes.learningRate ?? usualLearningRate(workload.method, model.parameters ?? 0),
    epochs: job.epochs,
    datasetTokens: job.datasetTokens,
    checkpointMinutes: wishes.checkpointMinutes ?? 15,
    seed: wishes.seed ?? 42,
    machine: machineOf(rung, ground),
    memory: {
      neededMiB: trainingDemand(model, used, split).totalMiB,
      usableMiB: gpuMemoryMiB,
    },
    software,
    rootVolumeGiB,
    jobHours: rung.training?.jobHours,
    jobUsd: rung.jobUsd,
    catalogueVersion: ground.version,
  };
}

function layoutOf(rung: Rung, { experts }: Decision["model"]): FinetuneLayout {
  const { layout } = rung;
  if (layout === undefined) throw new Error(`${rung.instanceType} was placed without a layout`);
  const { framework, dataParallel, tensorParallel, pipelineParallel } = layout;
  const { contextParallel, expertParallel, virtualStages, tablesAsLayers, step } = layout;
  return {
    framework,
    contextParallel,
    expertParallel,
    wholeExperts: experts !== undefined,
    dataParallel,
    tensorParallel,
    pipelineParallel,
    virtualStages,
    tablesAsLayers,
    stepSeconds: step?.stepSeconds,
  };
}

function machineOf(rung: Rung, { instanceTypes }: FinetuneGround): FinetunePlan["machine"] {
  const { instanceType, region, purchase, gpuModel, gpuCount, hourly, priceAsOf } = rung;
  const { nodes = 1 } = rung;
  const type = instanceTypes.find((each) => each.instanceType === instanceType);
  return {
    instanceType,
    region,
    purchase,
    nodes,
    gpuModel,
    gpuCount,
    efa: type?.efa ?? false,
    hourlyUsd: hourly.totalUsd,
    priceAsOf,
  };
}
