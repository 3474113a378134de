import { adapterParameters } from "./adapter-parameters.ts";
import { partOf, readable } from "./mebibytes.ts";
import type { MemoryPart } from "./memory-part.ts";
import type { ModelShape } from "./model-shape.ts";
import type { ServedAdapters, ServingParallelism } from "./workload.ts";

/** vLLM holds adapters in the model's own 16 bit (`lora_dtype`). */
const bytesEach = 2;

/**
 * Bytes on one GPU of the room that vLLM reserves for adapters, whatever their own size: for each matrix of every layer, and for the
 * tables, as many as are served at once, of the highest rank (vllm/lora/layers). A tensor-parallel group divides the wider side of a
 * matrix; the side of the hidden size is on each GPU.
 */
export function adapterBufferBytes(
  shape: ModelShape,
  { count, rank }: ServedAdapters,
  tensorParallel: number,
): number {
  const { layers, hiddenSize, vocabularySize, feedForwardMatrices, expertCount } = shape;
  const widths = adapterParameters(shape, { rank: 1, targets: "all-linear" }) / layers;
  const onEach = hiddenSize * (4 + feedForwardMatrices * expertCount);
  const inLayer = onEach + (widths - onEach) / tensorParallel;
  const tables = 2 * (hiddenSize + vocabularySize / tensorParallel);
  return count * rank * (layers * inLayer + tables) * bytesEach;
}

/** The same as a part of a demand; the tables have no room where the model's architecture has no adapters for them. */
export function adapterBuffers(
  shape: ModelShape,
  adapters: ServedAdapters,
  { tensorParallel, pipelineParallel }: ServingParallelism,
): MemoryPart {
  const bytes = adapterBufferBytes(shape, adapters, tensorParallel) / pipelineParallel;
  const { count, rank } = adapters;
  const why = `${count} of rank ${rank}, ${readable(bytes)} on each GPU`;
  return partOf("adapters", bytes, { below: 0.3, above: 0.2 }, why);
}
