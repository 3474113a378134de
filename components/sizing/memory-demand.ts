import type { Model } from "../catalogue/model.ts";
import type { ServingEngine } from "../plan.ts";
import { UserError } from "../user-error.ts";

/** How the weights are held in memory. */
export type Precision = "native" | "int8" | "int4";

/** What one GPU has to hold, MiB. */
export interface MemoryDemand {
  readonly tensorParallel: number;
  readonly weightsMiB: number;
  readonly kvCacheMiB: number;
  /** CUDA context, activations and graphs of the engine. */
  readonly runtimeMiB: number;
  readonly totalMiB: number;
}

/** What is asked of the server. */
export interface Workload {
  readonly contextTokens: number;
  readonly concurrency: number;
  readonly precision: Precision;
  readonly engine: ServingEngine;
}

const mebi = 1024 * 1024;
const gibiInMebi = 1024;

/**
 * Bytes of a linear parameter. int4 is GPTQ or AWQ in groups of 128: four bits, and a 16-bit scale and a 4-bit zero for
 * each group; int8 is bitsandbytes' LLM.int8 (https://arxiv.org/abs/2208.07339).
 */
const linearBytes = { int8: 1.0, int4: 0.5 + (16 + 4) / (8 * 128) } as const;

/** Loaded weights are up to 2 % above the files (KAITO's weightExpansionFactor, and vLLM's published logs). */
const loadedExpansion = 1.02;

/** Observed with vLLM: activations, context and graphs (https://github.com/kaito-project/kaito/pull/2139). */
const runtimeGiB = { vllm: 1.9, "llama.cpp": 0.6 } as const;

/** vLLM hands its cache out in blocks of 16 tokens. */
const blockTokens = 16;

function unknownShape(model: Model, what: string): UserError {
  return new UserError(`The catalogue does not know ${what} of ${model.id}.`, {
    hint: "Choose another model, or look for a newer catalogue.",
  });
}

/** Bytes of the weights in that precision; embeddings and output head stay in 16 bit when the rest is quantised. */
export function weightBytes(model: Model, precision: Precision): number {
  const { parameters, weightsGiB, vocabularySize, hiddenSize, tiedEmbeddings } = model;
  if (precision === "native") {
    if (weightsGiB !== undefined) return weightsGiB * 1024 * mebi;
    if (parameters !== undefined) return parameters * 2;
    throw unknownShape(model, "the size of the weights");
  }
  if (parameters === undefined || vocabularySize === undefined || hiddenSize === undefined) {
    throw unknownShape(model, "the number of parameters, and so the quantised size,");
  }
  const kept = vocabularySize * hiddenSize * (tiedEmbeddings === true ? 1 : 2);
  return kept * 2 + (parameters - kept) * linearBytes[precision];
}

/** Bytes of the key-value cache for that many tokens of one sequence, over all layers. */
export function kvCacheBytes(model: Model, tokens: number): number {
  if (model.kvBytesPerToken === undefined) throw unknownShape(model, "the key-value cache");
  const rounded = Math.ceil(tokens / blockTokens) * blockTokens;
  const window = Math.min(rounded, model.kvWindowTokens ?? rounded);
  return model.kvBytesPerToken * rounded + (model.kvLocalBytesPerToken ?? 0) * window;
}

/** Over how many of the GPUs the cache is shared out: MLA and a single KV head are kept whole on each. */
function cacheShards(model: Model, tensorParallel: number): number {
  if (model.kvType === "mla") return 1;
  return Math.min(tensorParallel, model.kvHeads ?? 1);
}

/**
 * What each of `tensorParallel` GPUs has to hold to serve the workload: solved per GPU and never on the sum, since context,
 * activations and replicated heads do not divide.
 *
 * @throws UserError when the catalogue lacks a figure that it takes
 */
export function memoryDemand(
  model: Model,
  workload: Workload,
  tensorParallel: number,
): MemoryDemand {
  const weights = (weightBytes(model, workload.precision) * loadedExpansion) / tensorParallel;
  const cache = kvCacheBytes(model, workload.contextTokens) * workload.concurrency;
  const weightsMiB = weights / mebi;
  const kvCacheMiB = cache / cacheShards(model, tensorParallel) / mebi;
  const runtimeMiB = runtimeGiB[workload.engine] * gibiInMebi;
  const totalMiB = weightsMiB + kvCacheMiB + runtimeMiB;
  return { tensorParallel, weightsMiB, kvCacheMiB, runtimeMiB, totalMiB };
}

/** It starts: within the share of the memory that vLLM takes by default (`vllm/config/cache.py`). */
export function fits(demand: MemoryDemand, usableMiB: number): boolean {
  return demand.totalMiB <= 0.92 * usableMiB;
}

/** It holds the load with room to spare: KAITO's margins, tuned after crash loops (kaito pull request 2139). */
export function isComfortable(demand: MemoryDemand, usableMiB: number): boolean {
  const spareMiB = 0.4 * gibiInMebi + 0.05 * demand.weightsMiB;
  return demand.totalMiB + spareMiB <= 0.84 * usableMiB;
}
