import type { Model } from "../../components/catalogue/model.ts";
import type { MemoryDemand } from "../../components/sizing/memory-part.ts";
import { parametersOf } from "../../components/sizing/model-shape.ts";
import { servingDemand } from "../../components/sizing/serving-demand.ts";
import { trainingDemand } from "../../components/sizing/training-demand.ts";
import { weightBytes } from "../../components/sizing/weight-layout.ts";
import type { ServingWorkload, TrainingWorkload } from "../../components/sizing/workload.ts";
import type { Measured, Outcome } from "./reference.ts";

/** Estimates GiB for one row; undefined where the rule says nothing about such a row. */
export interface Estimator {
  readonly name: string;
  readonly estimate: (row: Measured, model: Model) => number | undefined;
}

const gibi = 1024 ** 3;
const single = { tensorParallel: 1, pipelineParallel: 1 } as const;

/** Our demand in the setting of the row, for one GPU. */
export function demandOfRow(row: Measured | Outcome, model: Model): MemoryDemand {
  const { serving, training } = row;
  const split = { ...single, ...row.split, dataParallel: row.split?.dataParallel ?? 1 };
  if (training !== undefined) return trainingDemand(model, training as TrainingWorkload, split);
  const { tensorParallel, pipelineParallel } = split;
  const one = { tensorParallel, pipelineParallel };
  return servingDemand(model, serving as unknown as ServingWorkload, one);
}

/** Parts that a figure of each kind is the sum of; all of them where not named. */
const holds: Readonly<Record<string, readonly string[]>> = {
  weights: ["weights"],
  "kv-cache": ["kv-cache"],
  activations: ["activations"],
  "non-kv": ["weights", "activations", "communication", "libraries"],
};
/** What PyTorch's allocator does not count. */
const outside = new Set(["runtime", "communication", "libraries", "fragmentation"]);

function ours(row: Measured, model: Model): number {
  if (row.measures === "file") {
    return weightBytes(model, row.serving?.precision as ServingWorkload["precision"]) / gibi;
  }
  const { parts } = demandOfRow(row, model);
  const counted = parts.filter(({ name }) => {
    if (row.measures === "process") return true;
    if (row.measures === "allocated") return !outside.has(name);
    return holds[row.measures]?.includes(name) === true;
  });
  const mib = counted.reduce((sum, part) => sum + part.mib, 0);
  const { devices = 1, serving } = row;
  if (devices === 1) return mib / 1024;
  if (serving === undefined) return (mib * devices) / 1024;
  // A model that is laid out over several GPUs has its weights and cache once, and computes on each.
  const again = counted.filter(({ name }) => name !== "weights" && name !== "kv-cache");
  return (mib + (devices - 1) * again.reduce((sum, part) => sum + part.mib, 0)) / 1024;
}

const whole = new Set(["process", "allocated", "non-kv"]);

function gpusOf({ split, devices = 1, training }: Measured): number {
  if (split === undefined) return 1;
  const { dataParallel = 1, tensorParallel, pipelineParallel } = split;
  const all = dataParallel * tensorParallel * pipelineParallel;
  return training === undefined ? all : all / devices;
}

function precisionOf({ serving, training }: Measured): ServingWorkload["precision"] {
  if (training?.method === "qlora") {
    return (training.quantisation ?? "nf4-double") as ServingWorkload["precision"];
  }
  return (serving?.precision ?? "bf16") as ServingWorkload["precision"];
}

/** Bytes a parameter that the simple rules count with: 4, 2, 1 or a half. */
const plainBytes: ReadonlyMap<string, number> = new Map([
  ["fp32", 4],
  ["int8", 1],
  ["gptq-int8", 1],
  ["fp8", 1],
]);

function plainWeights(row: Measured, model: Model): number {
  const precision = precisionOf(row);
  const four = precision.includes("4");
  const bytes = four ? 0.5 : (plainBytes.get(precision) ?? 2);
  return parametersOf(model) * bytes;
}

/** The common rule: weights and a fifth more; full fine-tuning with Adam at 16 bytes a parameter. */
function timesOnePointTwo(row: Measured, model: Model): number | undefined {
  if (!whole.has(row.measures)) return undefined;
  const full = row.training?.method === "full" ? 16 * parametersOf(model) : undefined;
  return ((full ?? plainWeights(row, model)) * 1.2) / gpusOf(row) / gibi;
}

/** `accelerate estimate-memory`: the weights for inference, four times those for training with Adam. */
function accelerate(row: Measured, model: Model): number | undefined {
  if (!whole.has(row.measures)) return undefined;
  const training = row.training === undefined ? 1 : 4;
  return (plainWeights(row, model) * training) / gpusOf(row) / gibi;
}

function cacheBytes(row: Measured, model: Model): number {
  const { contextTokens = 0, concurrency = 1 } = row.serving ?? {};
  return (model.kvBytesPerToken ?? 0) * contextTokens * concurrency;
}

/** KAITO: files x 1.02, cache, 2.3 GiB and 5 % of the weights (kaito pull request 2139). Serving alone. */
function kaito(row: Measured, model: Model): number | undefined {
  if (row.serving === undefined || !whole.has(row.measures)) return undefined;
  const weights = plainWeights(row, model) * 1.07;
  const cache = row.measures === "non-kv" ? 0 : cacheBytes(row, model);
  return (weights + cache) / gpusOf(row) / gibi + 2.3;
}

/** hf-mem: the tensors of the files and the cache, no more. Serving alone. */
function hfMem(row: Measured, model: Model): number | undefined {
  if (row.serving === undefined || !whole.has(row.measures)) return undefined;
  const cache = row.measures === "non-kv" ? 0 : cacheBytes(row, model);
  return (weightBytes(model, precisionOf(row)) + cache) / gpusOf(row) / gibi;
}

/** Ours first. */
export const estimators: readonly Estimator[] = [
  { name: "berth", estimate: ours },
  { name: "weights x 1.2", estimate: timesOnePointTwo },
  { name: "accelerate", estimate: accelerate },
  { name: "KAITO", estimate: kaito },
  { name: "hf-mem", estimate: hfMem },
];
