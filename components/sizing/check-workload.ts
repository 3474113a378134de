import type { Model } from "../catalogue/model.ts";
import { UserError } from "../user-error.ts";
import { imageTrainingProblems } from "./image-training-demand.ts";
import {
  contextProblem,
  megatronProblem,
  megatronSplitProblem,
} from "./parallel/megatron-split.ts";
import { trainingSplitProblem } from "./splits.ts";
import type {
  ServingParallelism,
  ServingWorkload,
  TrainingParallelism,
  TrainingWorkload,
} from "./workload.ts";

function wrongCounts(counts: Readonly<Record<string, number | undefined>>): readonly string[] {
  return Object.entries(counts)
    .filter(([, value]) => value !== undefined && !(Number.isInteger(value) && value >= 1))
    .map(([name, value]) => `${name}: ${value}; it is a whole number of 1 or more`);
}

function refuse(model: Model, problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new UserError(`${model.id} cannot be sized as asked.`, {
    problems,
    hint: "Change what is named above, and ask again.",
  });
}

/** @throws UserError naming every setting that makes no sense */
export function checkServing(
  model: Model,
  workload: ServingWorkload,
  parallelism: ServingParallelism,
): void {
  const { contextTokens, concurrency, promptTokens, batchedTokens, utilisation, engine } = workload;
  const counts = { contextTokens, concurrency, promptTokens, batchedTokens, ...parallelism };
  const problems = [...wrongCounts(counts)];
  if (utilisation !== undefined && !(utilisation > 0 && utilisation <= 1)) {
    problems.push(`utilisation: ${utilisation}; it is above 0 and at most 1`);
  }
  const makesImages = model.task === "image-generation";
  if (makesImages !== (engine === "diffusers")) {
    problems.push(
      makesImages
        ? `engine: ${engine} serves text, and ${model.id} makes images; take diffusers`
        : `engine: diffusers makes images, and ${model.id} writes text; take vllm`,
    );
  }
  refuse(model, problems);
}

/** DeepSpeed's pipeline works with optimiser states shared out, not with gradients or weights. */
const withStages: ReadonlySet<string> = new Set(["none", "zero-1"]);

function wrongMegatron(
  model: Model,
  workload: TrainingWorkload,
  parallelism: TrainingParallelism,
): readonly string[] {
  const { megatron, gradientAccumulation = 1, sequenceTokens } = workload;
  if (megatron === undefined) return [];
  const method = megatronProblem(model, workload);
  const split = megatronSplitProblem(model, parallelism, megatron, gradientAccumulation);
  const context = contextProblem(sequenceTokens, megatron.contextParallel ?? 1);
  return [
    ...(method === undefined ? [] : [`framework: Megatron-LM: ${method}`]),
    ...(split === undefined ? [] : [`parallelism: ${split}`]),
    ...(context === undefined ? [] : [`parallelism: ${context}`]),
  ];
}

function wrongSplits(
  model: Model,
  workload: TrainingWorkload,
  parallelism: TrainingParallelism,
): readonly string[] {
  const { sharding = "none", megatron } = workload;
  if (megatron !== undefined) return wrongMegatron(model, workload, parallelism);
  const problem = trainingSplitProblem(model, parallelism);
  const problems = problem === undefined ? [] : [`parallelism: ${problem}`];
  const { pipelineParallel } = parallelism;
  if (pipelineParallel > 1 && !withStages.has(sharding)) {
    problems.push(`sharding: ${sharding} does not go with pipeline stages; none and zero-1 do`);
  }
  return problems;
}

/** @throws UserError naming every setting that makes no sense */
export function checkTraining(
  model: Model,
  workload: TrainingWorkload,
  parallelism: TrainingParallelism,
): void {
  const { sequenceTokens, microBatch, gradientAccumulation, lora } = workload;
  const counts = { sequenceTokens, microBatch, gradientAccumulation, rank: lora?.rank };
  const problems = [...wrongCounts({ ...counts, ...parallelism })];
  if (model.task === "image-generation") {
    problems.push(...imageTrainingProblems(model, workload));
  } else if (problems.length === 0) {
    problems.push(...wrongSplits(model, workload, parallelism));
  }
  refuse(model, problems);
}
