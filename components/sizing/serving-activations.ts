import type { Model } from "../catalogue/model.ts";
import { partOf } from "./mebibytes.ts";
import type { MemoryPart } from "./memory-part.ts";
import { shapeOf, type ModelShape } from "./model-shape.ts";
import type { ServingParallelism, ServingWorkload, WeightFormat } from "./workload.ts";

const gibi = 1024 ** 3;

/**
 * What vLLM's server takes by default: larger steps on GPUs of 70 GiB and more (`vllm/engine/arg_utils.py`,
 * get_batch_defaults). It leaves A100s out of that, whose demand is then somewhat high. Without a GPU the larger ones count.
 */
const vllmSteps = {
  large: { fromMiB: 70 * 1024, tokens: 8192, sequences: 1024 },
  small: { tokens: 2048, sequences: 256 },
} as const;

function stepsOf({ gpuMemoryMiB = vllmSteps.large.fromMiB }: ServingWorkload) {
  return gpuMemoryMiB >= vllmSteps.large.fromMiB ? vllmSteps.large : vllmSteps.small;
}

/** Tokens that vLLM reads in one step. */
export function batchedTokensOf(workload: ServingWorkload): number {
  return workload.batchedTokens ?? stepsOf(workload).tokens;
}

/** Bytes that its sampler takes for each logit while it measures itself, since release 0.17. */
const samplerBytes = 14.2;
/** An image goes through the encoder beside the text. */
const visionBytes = 0.25 * gibi;

/** Tokens of one micro-batch of llama.cpp (`--ubatch-size`). */
const llamaTokens = 512;

function promptOf({ promptTokens, contextTokens }: ServingWorkload): number {
  return promptTokens ?? contextTokens;
}

/** Numbers that live at once for one token in the widest layer: the feed-forward part and four copies of the stream. */
function liveNumbers(shape: ModelShape, tensorParallel = 1): number {
  const { feedForwardMatrices, intermediateSize, hiddenSize } = shape;
  return (feedForwardMatrices * intermediateSize) / tensorParallel + 4 * hiddenSize;
}

/** Scores of every pair of tokens, in 32 bit and once more in 16, when attention is not fused. */
function scoreBytes(shape: ModelShape, workload: ServingWorkload, tokens: number): number {
  if (workload.flashAttention !== false) return 0;
  return 2.5 * tokens * promptOf(workload) * shape.attentionHeads * 4;
}

/** A 16-bit copy that a quantised matrix product makes of the widest matrix; the head is not quantised. */
function dequantisedBytes(shape: ModelShape, precision: WeightFormat): number {
  const widest = shape.matrixSize * shape.hiddenSize * 2;
  if (precision.startsWith("nf4")) return widest;
  return precision === "int4" || precision === "gptq-int8" ? widest : 0;
}

/**
 * Bytes of one token that LLM.int8 computes with besides: the product in 32 bit and the input in 8
 * (bench/sizing/references/h100-serving.json: 1.5 times the activations of bf16).
 */
function integerBytes({ intermediateSize, hiddenSize }: ModelShape, format: WeightFormat): number {
  return format === "int8" ? 4 * intermediateSize + hiddenSize : 0;
}

function unchunked(shape: ModelShape, workload: ServingWorkload): MemoryPart {
  const tokens = promptOf(workload) * workload.concurrency;
  const logits = workload.promptLogits === true ? tokens * shape.vocabularySize * 6 : 0;
  const scores = scoreBytes(shape, workload, tokens);
  const copies = dequantisedBytes(shape, workload.precision);
  const ofToken = 2 * liveNumbers(shape) + integerBytes(shape, workload.precision);
  const bytes = tokens * ofToken + logits + scores + copies;
  const why = `a prompt of ${promptOf(workload)} tokens x ${workload.concurrency} in one go`;
  return partOf("activations", bytes, { below: 0.15, above: 0.3 }, why);
}

/** vLLM measures itself with full steps: the widest layer of the first stage, or the sampler of the last one. */
function chunked(
  model: Model,
  workload: ServingWorkload,
  { tensorParallel, pipelineParallel }: ServingParallelism,
): MemoryPart {
  const shape = shapeOf(model);
  const steps = stepsOf(workload);
  const tokens = batchedTokensOf(workload);
  const layers = 2 * tokens * liveNumbers(shape, tensorParallel);
  const stream = 2 * tokens * 2 * shape.hiddenSize;
  const sampler = steps.sequences * shape.vocabularySize * samplerBytes + stream;
  const vision = model.task === "multimodal" ? visionBytes : 0;
  const bytes = (pipelineParallel > 1 ? layers : Math.max(layers, sampler)) + vision;
  const why = `steps of ${tokens} tokens, and sampling for ${steps.sequences} sequences`;
  return partOf("activations", bytes, { below: 0.2, above: 0.35 }, why);
}

/** llama.cpp's compute buffer: the logits of a micro-batch, or its attention scores where attention is not fused. */
function computeBuffer(shape: ModelShape, workload: ServingWorkload): MemoryPart {
  const tokens = workload.batchedTokens ?? llamaTokens;
  const logits = tokens * shape.vocabularySize * 4;
  const scores = tokens * workload.contextTokens * shape.attentionHeads * 4;
  const bytes = Math.max(logits, workload.flashAttention === false ? scores : 0);
  const stream = tokens * shape.hiddenSize * 4;
  const why = `micro-batches of ${tokens} tokens`;
  return partOf("activations", bytes + stream, { below: 0.2, above: 0.3 }, why);
}

/** What the engine computes with, on one GPU. */
export function servingActivations(
  model: Model,
  workload: ServingWorkload,
  split: ServingParallelism,
): MemoryPart {
  if (workload.engine === "vllm") return chunked(model, workload, split);
  const shape = shapeOf(model);
  return workload.engine === "llama.cpp"
    ? computeBuffer(shape, workload)
    : unchunked(shape, workload);
}
