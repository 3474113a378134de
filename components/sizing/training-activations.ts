import { partOf } from "./mebibytes.ts";
import type { MemoryPart } from "./memory-part.ts";
import { embeddingParameters, type ModelShape } from "./model-shape.ts";
import { isBitsandbytes } from "./weight-layout.ts";
import type { TrainingParallelism, TrainingWorkload } from "./workload.ts";

/** Bytes of an activation: 2 in 16 bit and in autocast, 4 in fp32. */
function width({ precision }: TrainingWorkload): number {
  return precision === "fp32" ? 4 : 2;
}

/**
 * Numbers that the backward pass needs of one token in one layer: 8 copies of the stream, and of the feed-forward part 4
 * with a gate and 2 without. For Llama 3.1 8B it is 22 copies of the stream, where 28 were measured with adapters' inputs
 * (https://github.com/stas00/ml-engineering).
 */
function keptNumbers(shape: ModelShape, split: TrainingParallelism, workload: TrainingWorkload) {
  const { hiddenSize, intermediateSize, feedForwardMatrices } = shape;
  const replicated = workload.sequenceParallel === false ? 4 * hiddenSize : 0;
  const wide = feedForwardMatrices === 3 ? 4 : 2;
  const divided = 8 * hiddenSize - replicated + wide * intermediateSize;
  return replicated + divided / split.tensorParallel;
}

/**
 * Bytes of one score of attention that is not fused: 5 are kept for the backward pass (https://arxiv.org/abs/2205.05198,
 * equation 1); while a layer is made again and its gradient with it, 15 live at once.
 */
const scoreBytes = { kept: 5, live: 15 } as const;

function scores(shape: ModelShape, workload: TrainingWorkload, tensorParallel: number): number {
  if (workload.flashAttention !== false) return 0;
  return (shape.attentionHeads * workload.sequenceTokens) / tensorParallel;
}

/** Tables in 32 bit, which PEFT makes beside bitsandbytes weights, leave the stream between the layers in 32 bit too. */
function checkpointWidth(workload: TrainingWorkload): number {
  const { method, precision, quantisation = "nf4-double" } = workload;
  return method === "qlora" && precision === "amp" && isBitsandbytes(quantisation)
    ? 4
    : width(workload);
}

/**
 * Numbers that adapters keep of one token in one layer: their dropout keeps a copy of the input of each adapted matrix
 * (bench/sizing/references/h100-finetune.json, the rows without checkpoints).
 */
function adapterInputs(shape: ModelShape, { method, lora }: TrainingWorkload): number {
  if (method === "full") return 0;
  const { hiddenSize, intermediateSize, feedForwardMatrices } = shape;
  const targets = lora?.targets ?? "all-linear";
  if (targets === "q-v") return 2 * hiddenSize;
  if (targets === "qkv") return 3 * hiddenSize;
  if (targets === "attention") return 4 * hiddenSize;
  return (feedForwardMatrices === 3 ? 6 : 5) * hiddenSize + intermediateSize;
}

/** With PEFT's tables in 32 bit beside bitsandbytes weights the stream is in 32 bit too: a fourth more. */
const quantisedFactor = 1.28;

/** A layer that is made again has the gradients of its widest numbers beside those that it keeps. */
const gradientFactor = 1.25;

/**
 * Bytes of a logit: 16 bit, 32 bit, their gradient and a copy of it. A head in 32 bit, which PEFT makes beside bitsandbytes
 * weights, takes 16; GPTQ weights take 10, and a full training in pure 16 bit 8. Adapters in pure 16 bit take no less than mixed
 * ones: transformers makes its logits 32 bit wide for the loss (https://github.com/AnswerDotAI/fsdp_qlora/blob/main/benchmarks_03_2024.md).
 */
function logitBytes({ method, precision, quantisation = "nf4-double" }: TrainingWorkload): number {
  if (precision === "bf16" && method === "full") return 8;
  if (method !== "qlora") return 13;
  return isBitsandbytes(quantisation) ? 16 : 10;
}

/**
 * Bytes of 16-bit copies of quantised matrices: bitsandbytes makes one matrix at a time; the kernels for GPTQ weights keep
 * those of a layer for its gradient.
 */
function dequantisedBytes(shape: ModelShape, workload: TrainingWorkload): number {
  const { method, quantisation = "nf4-double" } = workload;
  if (method !== "qlora") return 0;
  if (isBitsandbytes(quantisation)) return 2 * shape.matrixSize * shape.hiddenSize;
  const linear = Math.max(0, shape.parameters - embeddingParameters(shape)) / shape.layers;
  return 2 * linear * 2;
}

/** Pieces that a chunked loss is made in. */
const lossChunks = 16;

/** Bytes of one token in the allocator's holes: of blocks for the layers, and for each logit. */
const holes = { token: 2e6, logit: 25 } as const;
/** Up to here every sequence is cut to one length or nearly; longer ones are few, and leave half as much. */
const commonTokens = 2048;

function holeBytes(shape: ModelShape, workload: TrainingWorkload): number {
  const { sequenceTokens, microBatch } = workload;
  const ofToken = holes.token + holes.logit * shape.vocabularySize - 12 * shape.vocabularySize;
  const common = Math.min(sequenceTokens, commonTokens);
  return microBatch * ofToken * (common + (sequenceTokens - common) / 2);
}

/** Of what unlike lengths leave: the rows of ms-swift have from 0.4 to 2.2 times as much. */
const holesSeen = { below: 0.6, above: 1.25 } as const;
/** Where it is not known whether lengths differ; a training that runs with expandable segments has fewer. */
const holesAsked = { below: 0.9, above: 0.3 } as const;

function holePart(shape: ModelShape, workload: TrainingWorkload): MemoryPart {
  const bytes = workload.packing === true ? 0 : holeBytes(shape, workload);
  const spread = workload.packing === undefined ? holesAsked : holesSeen;
  const part = partOf("fragmentation", bytes, spread, "sequences of unlike length");
  return workload.packing === undefined ? { ...part, mib: 0, lowMiB: 0 } : part;
}

/** Activations and logits of one micro-batch on one GPU, and the holes that unlike lengths leave. */
export function trainingActivations(
  shape: ModelShape,
  workload: TrainingWorkload,
  split: TrainingParallelism,
): readonly MemoryPart[] {
  const { sequenceTokens, microBatch, gradientCheckpointing, chunkedLoss } = workload;
  const tokens = sequenceTokens * microBatch;
  const kept = keptNumbers(shape, split, workload) + adapterInputs(shape, workload);
  const wide = checkpointWidth(workload) > width(workload);
  const numbers = kept * width(workload) * (wide ? quantisedFactor : 1);
  const ofScores = scores(shape, workload, split.tensorParallel);
  // The first stage of a pipeline holds as many micro-batches as there are stages, each of its own layers.
  const layers = Math.ceil(shape.layers / split.pipelineParallel) * split.pipelineParallel;
  const checkpoints = layers * shape.hiddenSize * checkpointWidth(workload);
  const whole = (tokens * shape.vocabularySize * logitBytes(workload)) / split.tensorParallel;
  const logits = chunkedLoss === true ? whole / lossChunks : whole;
  // With checkpoints a layer is computed again when the logits are gone: the larger of the two counts.
  const again =
    tokens * (numbers * gradientFactor + ofScores * scoreBytes.live) +
    dequantisedBytes(shape, workload);
  const bytes = gradientCheckpointing
    ? tokens * checkpoints + Math.max(0, again - logits)
    : tokens * layers * (numbers + ofScores * scoreBytes.kept);
  const kind = gradientCheckpointing ? "a checkpoint of each layer" : `${layers} layers`;
  return [
    partOf("activations", bytes, { below: 0.2, above: 0.3 }, `${tokens} tokens: ${kind}`),
    partOf("logits", logits, { below: 0.3, above: 0.3 }, `${tokens} x ${shape.vocabularySize}`),
    holePart(shape, workload),
  ];
}
