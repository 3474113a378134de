import { partOf } from "./mebibytes.ts";
import type { MemoryPart } from "./memory-part.ts";
import type { ModelShape } from "./model-shape.ts";
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

/** Scores of attention that is not fused, kept for the backward pass (https://arxiv.org/abs/2205.05198, equation 1). */
function scoreBytes(shape: ModelShape, workload: TrainingWorkload, tensorParallel: number): number {
  if (workload.flashAttention !== false) return 0;
  return (5 * shape.attentionHeads * workload.sequenceTokens) / tensorParallel;
}

/** Adapters over quantised weights keep inputs in 32 bit besides: a fourth more. */
const quantisedFactor = 1.28;

/** Logits: 16 bit, 32 bit, their gradient and a copy of it. Trained in pure 16 bit or over quantised weights, less. */
function logitBytes({ method, precision }: TrainingWorkload): number {
  return method === "qlora" || precision === "bf16" ? 8 : 12;
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

function holePart(shape: ModelShape, workload: TrainingWorkload): MemoryPart {
  const bytes = workload.packing === true ? 0 : holeBytes(shape, workload);
  const part = partOf(
    "fragmentation",
    bytes,
    { below: 0.9, above: 0.3 },
    "sequences of unlike length",
  );
  return workload.packing === undefined ? { ...part, mib: 0, lowMiB: 0 } : part;
}

/** Activations and logits of one micro-batch on one GPU, and the holes that unlike lengths leave. */
export function trainingActivations(
  shape: ModelShape,
  workload: TrainingWorkload,
  split: TrainingParallelism,
): readonly MemoryPart[] {
  const { sequenceTokens, microBatch, gradientCheckpointing, method, chunkedLoss } = workload;
  const tokens = sequenceTokens * microBatch;
  const plain = keptNumbers(shape, split, workload) * width(workload);
  const layer =
    plain * (method === "qlora" ? quantisedFactor : 1) +
    scoreBytes(shape, workload, split.tensorParallel);
  // The first stage of a pipeline holds as many micro-batches as there are stages, each of its own layers.
  const layers = Math.ceil(shape.layers / split.pipelineParallel) * split.pipelineParallel;
  const checkpoints = layers * shape.hiddenSize * width(workload);
  const bytes = tokens * (gradientCheckpointing ? checkpoints + layer : layers * layer);
  const kind = gradientCheckpointing ? "one layer and a checkpoint of each" : `${layers} layers`;
  const whole = (tokens * shape.vocabularySize * logitBytes(workload)) / split.tensorParallel;
  const logits = chunkedLoss === true ? whole / lossChunks : whole;
  return [
    partOf("activations", bytes, { below: 0.2, above: 0.3 }, `${tokens} tokens: ${kind}`),
    partOf("logits", logits, { below: 0.3, above: 0.3 }, `${tokens} x ${shape.vocabularySize}`),
    holePart(shape, workload),
  ];
}
