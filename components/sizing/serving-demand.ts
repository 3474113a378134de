import type { Model } from "../catalogue/model.ts";
import { adapterBuffers } from "./adapter-buffers.ts";
import { withAttentionKernel } from "./attention-kernel.ts";
import { diffusionDemand } from "./diffusion-demand.ts";
import { engineSettings } from "./engine-settings.ts";
import { ggufTableBytes, isGguf } from "./gguf-layout.ts";
import { cacheCopies, kvCacheBytes, kvFormatFactor, kvShare, windowStepBytes } from "./kv-cache.ts";
import { partOf, readable } from "./mebibytes.ts";
import { demandOf, type MemoryDemand, type MemoryPart } from "./memory-part.ts";
import { embeddingParameters, shapeOf, type ModelShape } from "./model-shape.ts";
import { batchedTokensOf, servingActivations } from "./serving-activations.ts";
import { outsideOfShare, runtimeParts } from "./serving-runtime.ts";
import { formatOf, weightBytes } from "./weight-layout.ts";
import type { ServingParallelism, ServingWorkload, WeightFormat } from "./workload.ts";
import { checkServing } from "./check-workload.ts";

/** Bytes of the weights that stay in the host's memory: llama.cpp looks tokens up there. */
function hostBytes(shape: ModelShape, format: WeightFormat, engine: string): number {
  if (engine !== "llama.cpp") return 0;
  if (isGguf(format)) return ggufTableBytes(shape, format).embedding;
  return shape.tiedEmbeddings ? 0 : shape.vocabularySize * shape.hiddenSize * 2;
}

/**
 * Bytes of the fullest GPU: linear layers and tables divide over a tensor-parallel group, layers over pipeline stages, and
 * the first or the last stage has a table besides.
 */
function largestShare(total: number, shape: ModelShape, split: ServingParallelism): number {
  const { tensorParallel, pipelineParallel } = split;
  if (pipelineParallel === 1) return total / tensorParallel;
  const tables = Math.min(embeddingParameters(shape) * 2, total);
  const table = shape.tiedEmbeddings ? tables : tables / 2;
  const stageLayers = Math.ceil(shape.layers / pipelineParallel) / shape.layers;
  return ((total - tables) * stageLayers + table) / tensorParallel;
}

/** Columns that vLLM pads the experts of an MXFP4 checkpoint to, on each GPU: 2,880 of gpt-oss become 3,072. */
const mxfp4Columns = 256;

function paddingBytes(model: Model, format: WeightFormat, split: ServingParallelism): number {
  const { quantisation, experts } = model;
  if (format !== "native" || quantisation?.method !== "mxfp4" || experts === undefined) return 0;
  const { quantisedParameters = 0, bitsPerWeight } = quantisation;
  const columns = experts.intermediateSize / split.tensorParallel;
  const padded = Math.ceil(columns / mxfp4Columns) * mxfp4Columns;
  return ((quantisedParameters * bitsPerWeight) / 8) * (padded / columns - 1);
}

function weightsPart(
  model: Model,
  workload: ServingWorkload,
  split: ServingParallelism,
): MemoryPart {
  const shape = shapeOf(model);
  const format = formatOf(model, workload.precision, workload.engine);
  const padded = workload.engine === "vllm" ? paddingBytes(model, format, split) : 0;
  const all = weightBytes(model, format) + padded - hostBytes(shape, format, workload.engine);
  const bytes = largestShare(all, shape, split);
  const name = format === "native" ? model.nativePrecision : format;
  const gpus = split.tensorParallel * split.pipelineParallel;
  const over = gpus === 1 ? "" : ` over ${gpus} GPUs`;
  return partOf(
    "weights",
    bytes,
    { below: 0.01, above: 0.02 },
    `${readable(all)} in ${name}${over}`,
  );
}

interface Cache {
  readonly part: MemoryPart;
  /** What the sequences beyond the first take: an engine that queues them starts without. */
  readonly queuedMiB: number;
  /** What is copied as it grows, beside copies that are counted already. */
  readonly grownMiB: number;
}

function cacheOf(model: Model, workload: ServingWorkload, split: ServingParallelism): Cache {
  const { contextTokens, concurrency, engine, kvFormat } = workload;
  const factor = kvFormatFactor(kvFormat);
  const one = kvCacheBytes(model, contextTokens, engine, kvFormat);
  // vLLM's windows slide a step at a time, so a sequence that is being read holds the tokens of a whole step besides.
  const step =
    engine === "vllm" ? windowStepBytes(model, contextTokens, batchedTokensOf(workload)) : 0;
  const copies = cacheCopies(model, engine);
  const share = kvShare(model, split);
  const sequences = one * copies * concurrency * share;
  const bytes = sequences + step * factor * share;
  const twice = copies === 1 ? "" : `, ${copies} copies`;
  const sliding = step === 0 ? "" : `, and ${readable(step * factor)} for a step past the window`;
  const what = `${contextTokens} tokens x ${concurrency}, ${readable(one)} a sequence over all layers${twice}${sliding}`;
  const queued = (sequences * (1 - 1 / concurrency)) / 1024 ** 2;
  const part = partOf("kv-cache", bytes, { below: 0, above: 0.03 }, what);
  return { part, queuedMiB: queued, grownMiB: copies === 1 ? part.mib : 0 };
}

/**
 * Blocks that PyTorch's allocator holds beside what is in use: the cache of transformers is copied as it grows, and the blocks
 * of the copy before and of the prompt's activations do not fit what comes after. 0.1 to 0.4 of both on an H100, a fifth in
 * the middle (bench/sizing/references/h100-serving.json).
 */
const heldShare = 0.22;

function heldBlocks(
  { engine }: ServingWorkload,
  cacheMiB: number,
  activationsMiB: number,
): readonly MemoryPart[] {
  if (engine !== "transformers") return [];
  const bytes = heldShare * (cacheMiB + activationsMiB) * 1024 ** 2;
  const why = "blocks that the allocator holds while the cache grows";
  return [partOf("fragmentation", bytes, { below: 0.7, above: 0.8 }, why)];
}

/**
 * What each GPU has to hold to serve the workload. Pure.
 *
 * @throws UserError when the workload makes no sense, or the catalogue lacks a figure that it takes
 */
export function servingDemand(
  model: Model,
  workload: ServingWorkload,
  parallelism: ServingParallelism = { tensorParallel: 1, pipelineParallel: 1 },
): MemoryDemand {
  checkServing(model, workload, parallelism);
  if (model.task === "image-generation") return diffusionDemand(model, workload);
  const cache = cacheOf(model, workload, parallelism);
  const ofEngine =
    workload.engine === "transformers" ? withAttentionKernel(model, workload) : workload;
  const activations = servingActivations(model, ofEngine, parallelism);
  const parts = [
    weightsPart(model, workload, parallelism),
    cache.part,
    activations,
    ...(workload.adapters === undefined
      ? []
      : [adapterBuffers(shapeOf(model), workload.adapters, parallelism)]),
    ...heldBlocks(workload, cache.grownMiB, activations.mib),
    ...runtimeParts(workload, parallelism),
  ];
  const { queues, utilisation } = engineSettings[workload.engine];
  return demandOf({
    parts,
    parallelism,
    utilisation: workload.utilisation ?? utilisation,
    outside: outsideOfShare[workload.engine],
    queuedMiB: queues ? cache.queuedMiB : 0,
  });
}
