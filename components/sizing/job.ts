import type { Model } from "../catalogue/model.ts";
import { hostMemoryDemand } from "./host-memory-demand.ts";
import type { MemoryDemand } from "./memory-part.ts";
import { isPrecision, type PlanRequest } from "./plan-request.ts";
import { servingDemand } from "./serving-demand.ts";
import { validSplits } from "./splits.ts";
import { trainingDemand } from "./training-demand.ts";
import { layoutWishes, trainingWorkload, type LayoutWishes } from "./training-request.ts";
import { usualEngine } from "./usual-engine.ts";
import type { ServingWorkload, TrainingWorkload } from "./workload.ts";

/** A model that answers requests. */
export interface ServingJob {
  readonly task: "serve";
  readonly model: Model;
  readonly workload: ServingWorkload;
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** Of denoising; undefined takes the model's own. */
  readonly imageSteps?: number | undefined;
  readonly tensorParallelOnly: boolean;
}

/** A model that learns. */
export interface TrainingJob {
  readonly task: "finetune" | "train";
  readonly model: Model;
  readonly workload: TrainingWorkload;
  readonly datasetTokens: number;
  readonly epochs: number;
  /** Sequences of one step of the optimiser; a whole number of passes may make it more. */
  readonly globalBatch: number;
  readonly wishes: LayoutWishes;
}

/** What a machine is looked for. */
export type Job = ServingJob | TrainingJob;

const defaultContextTokens = 4096;
/** Tokens for each parameter that a training from nothing is best given (https://arxiv.org/abs/2203.15556). */
const tokensPerParameter = 20;

function servingJob(request: PlanRequest, model: Model): ServingJob {
  const limit = model.maxContextTokens ?? defaultContextTokens;
  const { precision = "auto", concurrency = 1 } = request;
  const contextTokens = request.contextTokens ?? Math.min(defaultContextTokens, limit);
  const quarter = Math.max(1, Math.floor(contextTokens / 4));
  return {
    task: "serve",
    model,
    workload: {
      engine: request.engine ?? usualEngine(model),
      precision: isPrecision(precision) ? precision : "native",
      contextTokens,
      concurrency,
      kvFormat: request.kvFormat,
      adapters: request.adapters,
    },
    promptTokens: request.promptTokens ?? Math.min(1024, quarter),
    answerTokens: request.answerTokens ?? Math.min(256, quarter),
    imageSteps: request.imageSteps,
    tensorParallelOnly: request.tensorParallelOnly ?? false,
  };
}

/** What the request asks to be done; the request has been checked. */
export function jobOf(request: PlanRequest, model: Model): Job {
  const { task = "serve", training = {} } = request;
  if (task === "serve") return servingJob(request, model);
  const scratch = task === "train";
  const workload = trainingWorkload(training, { scratch, model });
  const whole = (model.parameters ?? 1e9) * tokensPerParameter;
  return {
    task,
    model,
    workload,
    datasetTokens: training.datasetTokens ?? (scratch ? whole : 10_000_000),
    epochs: training.epochs ?? (scratch ? 1 : 3),
    globalBatch: training.globalBatch ?? usualBatch(scratch, workload.sequenceTokens),
    wishes: layoutWishes(training),
  };
}

/** The workload as it is on so many GPUs: states are sharded over several unless the user says how. */
export function workloadOn(workload: TrainingWorkload, gpuCount: number): TrainingWorkload {
  return workload.sharding === undefined && gpuCount > 1
    ? { ...workload, sharding: "fsdp" }
    : workload;
}

/** Sequences of a step: 16 of a fine-tuning, and about a million tokens of a training from nothing. */
function usualBatch(scratch: boolean, sequenceTokens: number): number {
  return scratch ? Math.max(1, Math.round(2 ** 20 / sequenceTokens)) : 16;
}

function partition<Row>(
  rows: readonly Row[],
  test: (row: Row) => boolean,
): readonly [Row[], Row[]] {
  return [rows.filter(test), rows.filter((row) => !test(row))];
}

/**
 * What each GPU has to hold, for each way to split the job over at most so many GPUs, fewest first; pipelines, in which the
 * GPUs wait for each other, come after all others, those of the fewest stages first. A training takes all of them.
 *
 * @throws UserError when the catalogue lacks a figure that it takes
 */
export function demandsOf(job: Job, gpuCount: number): readonly MemoryDemand[] {
  const { model } = job;
  if (job.task === "serve") {
    const { workload, tensorParallelOnly } = job;
    const splits = validSplits(model, workload.precision, gpuCount);
    const [pipelines, others] = partition(splits, ({ pipelineParallel }) => pipelineParallel > 1);
    // Of pipelines those with the fewest stages first: the GPUs of a host are paid for, used or not.
    const short = pipelines.toSorted((a, b) => a.pipelineParallel - b.pipelineParallel);
    const tried = tensorParallelOnly ? others : [...others, ...short];
    return tried.map((split) => servingDemand(model, workload, split));
  }
  const parallelism = { dataParallel: gpuCount, tensorParallel: 1, pipelineParallel: 1 };
  return [trainingDemand(model, workloadOn(job.workload, gpuCount), parallelism)];
}

/**
 * Memory of each host that loading takes, GiB; undefined for an image model, whose shape is not one of layers.
 *
 * @throws UserError when the catalogue lacks a figure that it takes
 */
export function hostMemoryGiB(job: Job, gpuCount: number, nodes = 1): number | undefined {
  if (job.model.task === "image-generation") return undefined;
  const training = job.task === "serve" ? undefined : workloadOn(job.workload, gpuCount);
  return hostMemoryDemand(job.model, job.task, { gpuCount, nodes, training }).totalGiB;
}
