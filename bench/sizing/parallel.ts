import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Catalogue } from "../../components/catalogue/catalogue.ts";
import { findModel } from "../../components/catalogue/find-model.ts";
import type { Model } from "../../components/catalogue/model.ts";
import type { Range } from "../../components/range.ts";
import type { TrainingJob } from "../../components/sizing/job.ts";
import { shapeOf } from "../../components/sizing/model-shape.ts";
import { stepOf } from "../../components/sizing/parallel/choose-layout.ts";
import type { TrainingLayout } from "../../components/sizing/parallel/training-layout.ts";
import { trainingDemand } from "../../components/sizing/training-demand.ts";
import { verdict } from "../../components/sizing/verdict.ts";

const rowSchema = z.strictObject({
  id: z.string(),
  source: z.string(),
  /** Of the catalogue; without it a GPT of the shape that follows. */
  model: z.string().optional(),
  layers: z.int().optional(),
  hidden: z.int().optional(),
  heads: z.int().optional(),
  parametersB: z.number().optional(),
  method: z.enum(["full", "lora"]).default("full"),
  tensor: z.int(),
  /** GPUs that share out a sequence, and the experts of a layer. */
  context: z.int().default(1),
  expert: z.int().default(1),
  pipeline: z.int(),
  virtualStages: z.int().default(1),
  gpus: z.int(),
  batch: z.int(),
  microBatch: z.int().default(1),
  sequence: z.int().default(2048),
  checkpointing: z.boolean().default(true),
  distributedOptimizer: z.boolean().default(false),
  tablesAsLayers: z.boolean().default(false),
  gpu: z.string().default("A100-SXM4-80GB"),
  /** Of a node; the A100 clusters had 8 cards of 200 Gbps. */
  networkGbps: z.number().default(1600),
  count: z.enum(["narayanan", "seconds", "palm", "none"]),
  /** Of one GPU. */
  tflops: z.number().optional(),
  seconds: z.number().optional(),
  /** Why its memory is not held against ours. */
  memory: z.string().optional(),
});

type Row = z.infer<typeof rowSchema>;

/** A published training against our figures. */
export interface ParallelResult {
  readonly id: string;
  /** Of one step, as published; undefined where the memory alone is known to have been enough. */
  readonly seconds: number | undefined;
  readonly range: Range;
  /** Undefined where no time was published. */
  readonly within: boolean | undefined;
  readonly totalMiB: number;
  /** Undefined where the source's memory is not comparable. */
  readonly fits: boolean | undefined;
}

/** Usable memory of the 80 GB GPUs of the sources, as in the other references, MiB. */
const usableMiB = 81_152;
const gptVocabulary = 51_200;

function modelOf(row: Row, catalogue: Catalogue): Model {
  if (row.model !== undefined) return findModel(row.model, catalogue);
  const { layers, hidden = 0, heads = 1, parametersB = 0, id } = row;
  return {
    ...findModel("gpt-neo-2.7b", catalogue),
    id,
    parameters: Math.round(parametersB * 1e9),
    layers,
    hiddenSize: hidden,
    attentionHeads: heads,
    kvHeads: heads,
    headDimension: hidden / heads,
    intermediateSize: 4 * hidden,
    mlpMatrices: 2,
    vocabularySize: gptVocabulary,
    tiedEmbeddings: true,
    tensorParallelSizes: undefined,
  };
}

function publishedSeconds(row: Row, model: Model): number | undefined {
  const { batch, sequence, gpus, tflops = Number.NaN } = row;
  if (row.count === "none") return undefined;
  if (row.seconds !== undefined) return row.seconds;
  const { layers, hiddenSize: h, parameters, vocabularySize: vocabulary } = shapeOf(model);
  const tokens = batch * sequence;
  const again = 96 * tokens * layers * h ** 2;
  const operations =
    row.count === "palm"
      ? tokens * (6 * parameters + 12 * layers * h * sequence)
      : again * (1 + sequence / (6 * h) + vocabulary / (16 * layers * h));
  return operations / (gpus * tflops * 1e12);
}

function layoutOf(row: Row): TrainingLayout {
  const { tensor, pipeline, gpus, batch, microBatch, checkpointing } = row;
  const { virtualStages, distributedOptimizer, tablesAsLayers } = row;
  const { method, context: contextParallel, expert: expertParallel } = row;
  const dataParallel = gpus / tensor / pipeline / contextParallel;
  const passes = batch / dataParallel / microBatch;
  const workload = {
    method,
    precision: "amp",
    optimizer: "adamw",
    sequenceTokens: row.sequence,
    microBatch,
    gradientAccumulation: passes,
    gradientCheckpointing: checkpointing,
    packing: true,
    megatron: {
      virtualStages,
      distributedOptimizer,
      tablesAsLayers,
      contextParallel,
      expertParallel,
    },
  } as const;
  const split = { tensorParallel: tensor, pipelineParallel: pipeline, dataParallel };
  const grid = { nodes: gpus / 8, gpusPerNode: 8 };
  return { framework: "megatron", ...grid, ...split, workload, passes, globalBatch: batch };
}

function resultOf(row: Row, catalogue: Catalogue): ParallelResult {
  const model = modelOf(row, catalogue);
  const layout = layoutOf(row);
  const accelerator = catalogue.accelerators.find((gpu) => gpu.model === row.gpu)!;
  const wishes = {
    framework: "megatron",
    tensorParallel: undefined,
    pipelineParallel: undefined,
  } as const;
  const { workload, globalBatch, nodes, gpusPerNode } = layout;
  const job: TrainingJob = {
    task: "train",
    model,
    workload,
    datasetTokens: 1,
    epochs: 1,
    globalBatch,
    wishes,
  };
  const hosts = { accelerator, nodes, gpusPerNode, nvlink: true, networkGbps: row.networkGbps };
  const range = stepOf(job, layout, hosts)?.stepSeconds ?? { low: Number.NaN, high: Number.NaN };
  const seconds = publishedSeconds(row, model);
  const { tensorParallel, pipelineParallel, dataParallel } = layout;
  const split = { tensorParallel, pipelineParallel, dataParallel };
  const demand = trainingDemand(model, workload, split);
  return {
    id: row.id,
    seconds,
    range,
    within: seconds === undefined ? undefined : range.low <= seconds && seconds <= range.high,
    totalMiB: demand.totalMiB,
    fits: row.memory === undefined ? verdict(demand, usableMiB).fits : undefined,
  };
}

/** Every row of parallel-rows.json, checked against its schema, with our figures beside it. */
export function parallelResults(catalogue: Catalogue): readonly ParallelResult[] {
  const text = readFileSync(new URL("parallel-rows.json", import.meta.url), "utf8");
  const { rows } = z
    .strictObject({ note: z.string(), rows: z.array(rowSchema) })
    .parse(JSON.parse(text));
  return rows.map((row) => resultOf(row, catalogue));
}
