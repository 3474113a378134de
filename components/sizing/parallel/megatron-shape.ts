import type { ModelShape } from "../model-shape.ts";
import type { MegatronSettings, TrainingParallelism } from "../workload.ts";

/** Megatron-LM pads the vocabulary to a multiple of this for each GPU of a tensor-parallel group. */
const vocabularyMultiple = 128;

/** Vocabulary as Megatron-LM holds it: padded, so that every GPU of a group has as many entries. */
export function paddedVocabulary({ vocabularySize }: ModelShape, tensorParallel: number): number {
  const multiple = vocabularyMultiple * tensorParallel;
  return Math.ceil(vocabularySize / multiple) * multiple;
}

/** Parameters of one layer; norms and biases lie within. */
function layerParameters(shape: ModelShape): number {
  const { parameters, layers, vocabularySize, hiddenSize, tiedEmbeddings } = shape;
  const tables = vocabularySize * hiddenSize * (tiedEmbeddings ? 1 : 2);
  return Math.max(0, parameters - tables) / layers;
}

/**
 * Parameters on one GPU of the fullest stages: the first holds the embedding and the last the output head, also where both
 * are one table (`megatron/training/theoretical_memory_usage.py`, megatron-core 0.19.2).
 */
export function stageParameters(
  shape: ModelShape,
  { tensorParallel, pipelineParallel }: TrainingParallelism,
  { tablesAsLayers = false }: Pick<MegatronSettings, "tablesAsLayers"> = {},
): number {
  const table = paddedVocabulary(shape, tensorParallel) * shape.hiddenSize;
  const tables = pipelineParallel === 1 && !shape.tiedEmbeddings ? 2 : 1;
  const layer = layerParameters(shape);
  const held = stageLayers(shape, pipelineParallel, tablesAsLayers) * layer;
  const stage = tablesAsLayers ? Math.max(held, held - layer + table) : held + tables * table;
  return stage / tensorParallel;
}

/** Layers of a stage that holds no table; the first and last hold one less where tables count as layers. */
export function stageLayers(
  { layers }: ModelShape,
  pipelineParallel: number,
  tablesAsLayers = false,
): number {
  return (layers + (tablesAsLayers ? 2 : 0)) / pipelineParallel;
}

/**
 * Numbers of one token and layer that the backward pass needs, over a whole tensor-parallel group: the stream five times,
 * query, key and value, and the feed-forward part with its gate. It is 16 x hidden for GPT, the 34 bytes of
 * https://arxiv.org/abs/2205.05198 without its dropout masks.
 */
export function layerNumbers(shape: ModelShape): number {
  const { hiddenSize, attentionHeads, kvHeads, headDimension, intermediateSize } = shape;
  const wide = shape.feedForwardMatrices === 3 ? 3 : 2;
  const attention = (attentionHeads + 2 * kvHeads) * headDimension;
  return 5 * hiddenSize + attention + wide * intermediateSize;
}

/**
 * Passes whose activations the first stage holds at once: one for each stage, and with interleaving
 * 1 + (p - 1) / (p x v) times as many (https://arxiv.org/abs/2205.05198, section 4.2.3).
 */
export function passesInFlight(
  { pipelineParallel }: TrainingParallelism,
  { virtualStages }: MegatronSettings,
  passes: number,
): number {
  if (virtualStages > 1) return pipelineParallel + (pipelineParallel - 1) / virtualStages;
  return Math.min(pipelineParallel, passes);
}
