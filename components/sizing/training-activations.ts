import { partOf } from "./mebibytes.ts";
import type { MemoryPart } from "./memory-part.ts";
import type { ModelShape } from "./model-shape.ts";
import type { TrainingParallelism, TrainingWorkload } from "./workload.ts";

/** Bytes of an activation: 2 in 16 bit and in autocast, 4 in fp32. */
function width({ precision }: TrainingWorkload): number {
  return precision === "fp32" ? 4 : 2;
}

/** Numbers that the backward pass needs of one token in one layer: 8 copies of the stream and 4 of the feed-forward part. */
function keptNumbers(shape: ModelShape, split: TrainingParallelism, workload: TrainingWorkload) {
  const { tensorParallel } = split;
  const { hiddenSize, intermediateSize } = shape;
  const replicated = workload.sequenceParallel === false ? 4 * hiddenSize : 0;
  const divided = 8 * hiddenSize - replicated + 4 * intermediateSize;
  return replicated + divided / tensorParallel;
}

/** Scores of attention that is not fused, kept for the backward pass (https://arxiv.org/abs/2205.05198, equation 1). */
function scoreBytes(shape: ModelShape, workload: TrainingWorkload, tensorParallel: number): number {
  if (workload.flashAttention !== false) return 0;
  return (5 * shape.attentionHeads * workload.sequenceTokens) / tensorParallel;
}

/** Activations and logits of one micro-batch on one GPU. */
export function trainingActivations(
  shape: ModelShape,
  workload: TrainingWorkload,
  split: TrainingParallelism,
): readonly MemoryPart[] {
  const { sequenceTokens, microBatch, gradientCheckpointing, chunkedLoss } = workload;
  const tokens = sequenceTokens * microBatch;
  const layer =
    keptNumbers(shape, split, workload) * width(workload) +
    scoreBytes(shape, workload, split.tensorParallel);
  // The first stage of a pipeline holds as many micro-batches as there are stages, each of its own layers.
  const layers = Math.ceil(shape.layers / split.pipelineParallel) * split.pipelineParallel;
  const checkpoints = layers * shape.hiddenSize * width(workload);
  const bytes = tokens * (gradientCheckpointing ? checkpoints + layer : layers * layer);
  const kind = gradientCheckpointing ? "one layer and a checkpoint of each" : `${layers} layers`;
  const logits =
    chunkedLoss === true ? 0 : (tokens * shape.vocabularySize * 10) / split.tensorParallel;
  return [
    partOf("activations", bytes, { below: 0.3, above: 0.4 }, `${tokens} tokens: ${kind}`),
    partOf("logits", logits, { below: 0.3, above: 0.3 }, `${tokens} x ${shape.vocabularySize}`),
  ];
}
