import { engineSettings } from "./engine-settings.ts";
import { partOf } from "./mebibytes.ts";
import type { MemoryPart } from "./memory-part.ts";
import type { ModelShape } from "./model-shape.ts";
import type { ServingParallelism, ServingWorkload } from "./workload.ts";

/** Sequences that vLLM samples for at once while it measures itself (`max_num_seqs`). */
const vllmSequences = 256;
/** Bytes that its sampler takes for each logit: 32-bit copies, sorted values, 64-bit indices. */
const samplerBytes = 40;

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

function unchunked(shape: ModelShape, workload: ServingWorkload): MemoryPart {
  const tokens = promptOf(workload) * workload.concurrency;
  const logits = workload.promptLogits === true ? tokens * shape.vocabularySize * 6 : 0;
  const scores = scoreBytes(shape, workload, tokens);
  const bytes = 2 * tokens * liveNumbers(shape) + logits + scores;
  const why = `a prompt of ${promptOf(workload)} tokens x ${workload.concurrency} in one go`;
  return partOf("activations", bytes, { below: 0.15, above: 0.3 }, why);
}

function chunked(shape: ModelShape, workload: ServingWorkload, tensorParallel: number): MemoryPart {
  const tokens = workload.batchedTokens ?? engineSettings.vllm.batchedTokens ?? promptOf(workload);
  const layers = 2 * tokens * liveNumbers(shape, tensorParallel);
  const sampler = vllmSequences * shape.vocabularySize * samplerBytes;
  const bytes = Math.max(layers, sampler);
  const why = `steps of ${tokens} tokens, and sampling for ${vllmSequences} sequences`;
  return partOf("activations", bytes, { below: 0.3, above: 0.4 }, why);
}

/** llama.cpp's compute buffer: the logits of a micro-batch, or its attention scores where attention is not fused. */
function computeBuffer(shape: ModelShape, workload: ServingWorkload): MemoryPart {
  const tokens = workload.batchedTokens ?? engineSettings["llama.cpp"].batchedTokens ?? 512;
  const logits = tokens * shape.vocabularySize * 4;
  const scores = tokens * workload.contextTokens * shape.attentionHeads * 4;
  const bytes = Math.max(logits, workload.flashAttention === false ? scores : 0);
  const stream = tokens * shape.hiddenSize * 4;
  return partOf(
    "activations",
    bytes + stream,
    { below: 0.2, above: 0.3 },
    `micro-batches of ${tokens} tokens`,
  );
}

/** What the engine computes with, on one GPU. */
export function servingActivations(
  shape: ModelShape,
  workload: ServingWorkload,
  { tensorParallel }: ServingParallelism,
): MemoryPart {
  if (workload.engine === "llama.cpp") return computeBuffer(shape, workload);
  return workload.engine === "vllm"
    ? chunked(shape, workload, tensorParallel)
    : unchunked(shape, workload);
}
