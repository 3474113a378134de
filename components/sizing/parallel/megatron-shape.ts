import type { ModelShape } from "../model-shape.ts";
import type { MegatronSettings, TrainingParallelism } from "../workload.ts";

/** Megatron-LM pads the vocabulary to a multiple of this for each GPU of a tensor-parallel group. */
const vocabularyMultiple = 128;

/** Vocabulary as Megatron-LM holds it: padded, so that every GPU of a group has as many entries. */
export function paddedVocabulary({ vocabularySize }: ModelShape, tensorParallel: number): number {
  const multiple = vocabularyMultiple * tensorParallel;
  return Math.ceil(vocabularySize / multiple) * multiple;
}

/** Parameters of routed experts in all layers; what is left for the rest is never less than a fiftieth. */
export function expertParameters(shape: ModelShape): number {
  const { parameters, experts, feedForwardMatrices, hiddenSize } = shape;
  if (experts === undefined) return 0;
  const each = feedForwardMatrices * hiddenSize * experts.intermediateSize;
  return Math.min(experts.layers * experts.count * each, 0.98 * parameters);
}

interface LayerParameters {
  readonly rest: number;
  readonly experts: number;
}

/** By the shape that they are of: a search for a layout asks for them thousands of times. */
const knownLayers = new WeakMap<ModelShape, LayerParameters>();

/** Parameters of one layer in the mean, norms and biases within: of its experts, and of all the rest. */
function layerParameters(shape: ModelShape): LayerParameters {
  const layer = knownLayers.get(shape) ?? meanLayer(shape);
  knownLayers.set(shape, layer);
  return layer;
}

function meanLayer(shape: ModelShape): LayerParameters {
  const { parameters, layers, vocabularySize, hiddenSize, tiedEmbeddings } = shape;
  const tables = vocabularySize * hiddenSize * (tiedEmbeddings ? 1 : 2);
  const experts = expertParameters(shape);
  return { rest: Math.max(0, parameters - tables - experts) / layers, experts: experts / layers };
}

/** What one GPU holds of a stage. */
export interface StageParameters {
  /** Its part of what tensor parallelism divides. */
  readonly rest: number;
  /** Its experts, each of them whole. */
  readonly experts: number;
}

/**
 * Parameters on one GPU of the fullest stages: the first holds the embedding and the last the output head, also where both
 * are one table (`megatron/training/theoretical_memory_usage.py`, megatron-core 0.19.2).
 */
export function stageParameters(
  shape: ModelShape,
  { tensorParallel, pipelineParallel }: TrainingParallelism,
  settings: Pick<MegatronSettings, "tablesAsLayers" | "expertParallel"> = {},
): StageParameters {
  const { tablesAsLayers = false, expertParallel = 1 } = settings;
  const table = paddedVocabulary(shape, tensorParallel) * shape.hiddenSize;
  const tables = pipelineParallel === 1 && !shape.tiedEmbeddings ? 2 : 1;
  const layer = layerParameters(shape);
  const held = stageLayers(shape, pipelineParallel, tablesAsLayers);
  const inner = {
    rest: (held * layer.rest + (tablesAsLayers ? 0 : tables * table)) / tensorParallel,
    experts: (held * layer.experts) / expertParallel,
  };
  if (!tablesAsLayers) return inner;
  const outer = {
    rest: ((held - 1) * layer.rest + table) / tensorParallel,
    experts: ((held - 1) * layer.experts) / expertParallel,
  };
  return inner.rest + inner.experts >= outer.rest + outer.experts ? inner : outer;
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
 * https://arxiv.org/abs/2205.05198 without its dropout masks. Each expert that a token goes to keeps its input besides.
 */
export function layerNumbers(shape: ModelShape): number {
  const { hiddenSize, attentionHeads, kvHeads, headDimension, intermediateSize } = shape;
  const wide = shape.feedForwardMatrices === 3 ? 3 : 2;
  const attention = (attentionHeads + 2 * kvHeads) * headDimension;
  const inputs = (shape.experts?.perToken ?? 0) * hiddenSize;
  return 5 * hiddenSize + attention + inputs + wide * intermediateSize;
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
