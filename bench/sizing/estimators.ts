import type { Model } from "../../components/catalogue/model.ts";
import type { MemoryDemand } from "../../components/sizing/memory-part.ts";
import { otherRules, type OtherRule } from "../../components/sizing/other-rules.ts";
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

/** What another rule says of one GPU of the row; it is of whole processes. */
function byRule({ bytes }: OtherRule, row: Measured, model: Model): number | undefined {
  if (!whole.has(row.measures)) return undefined;
  const gpus = gpusOf(row);
  const { contextTokens = 0, concurrency = 1 } = row.serving ?? {};
  const said = bytes({
    model,
    precision: precisionOf(row),
    contextTokens: row.measures === "non-kv" ? 0 : contextTokens,
    concurrency,
    method: row.training?.method,
    gpus,
  });
  return said === undefined ? undefined : said / gpus / gibi;
}

/** Ours first. */
export const estimators: readonly Estimator[] = [
  { name: "berth", estimate: ours },
  ...otherRules.map((rule) => ({
    name: rule.name,
    estimate: (row: Measured, model: Model) => byRule(rule, row, model),
  })),
];
