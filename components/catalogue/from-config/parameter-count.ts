import { compressedParameters } from "./compressed-attention.ts";
import type { DecoderShape } from "./decoder-shape.ts";

function latentAttention({ mla, latentGate, hiddenSize, attentionHeads }: DecoderShape): number {
  if (mla === undefined) return 0;
  const { queryRank, latentRank, ropeDimension, nopeDimension, valueDimension } = mla;
  const queries = attentionHeads * (nopeDimension + ropeDimension);
  const queryParameters =
    queryRank === undefined
      ? hiddenSize * queries
      : hiddenSize * queryRank + queryRank + queryRank * queries;
  return (
    queryParameters +
    hiddenSize * (latentRank + ropeDimension) +
    latentRank +
    latentRank * attentionHeads * (nopeDimension + valueDimension) +
    attentionHeads * valueDimension * hiddenSize * (latentGate ? 2 : 1)
  );
}

/** Parameters of one attention block, its norms of queries and keys included. */
export function attentionParameters(shape: DecoderShape): number {
  if (shape.mla !== undefined) return latentAttention(shape);
  const { hiddenSize, attentionHeads, kvHeads, headDimension, traits } = shape;
  const queries = attentionHeads * headDimension;
  const keys = kvHeads * headDimension;
  const projected = queries * (shape.gatedQueries ? 2 : 1) + 2 * keys;
  const norms = { none: 0, head: 2 * headDimension, full: queries + keys };
  return (
    hiddenSize * projected +
    (traits.qkvBias ? projected : 0) +
    queries * hiddenSize +
    (traits.outputBias ? hiddenSize : 0) +
    norms[traits.qkNorm] +
    (traits.sinks ? attentionHeads : 0)
  );
}

/** Parameters of attention in all layers with full attention or a window. */
function attendingParameters(shape: DecoderShape): number {
  const { kinds, globalHeads, compressed, hiddenSize, attentionHeads, headDimension } = shape;
  if (compressed !== undefined) {
    return compressedParameters(compressed, { hiddenSize, heads: attentionHeads, headDimension });
  }
  const local = kinds.local * attentionParameters(shape);
  if (globalHeads === undefined) return local + kinds.global * attentionParameters(shape);
  const each = attentionParameters({ ...shape, ...globalHeads });
  const shared = hiddenSize * globalHeads.kvHeads * globalHeads.headDimension;
  return local + kinds.global * (each - (globalHeads.keyIsValue ? shared : 0));
}

function denseParameters({ traits, hiddenSize }: DecoderShape, width: number): number {
  const { mlpMatrices, mlpBias } = traits;
  return mlpMatrices * hiddenSize * width + (mlpBias ? (mlpMatrices - 1) * width + hiddenSize : 0);
}

function expertParameters(shape: DecoderShape): { all: number; active: number } {
  const { experts, hiddenSize, expertBias, routerBias } = shape;
  if (experts === undefined) return { all: 0, active: 0 };
  const { count, perToken, intermediateSize, sharedIntermediateSize = 0 } = experts;
  const { expertHidden = hiddenSize, traits } = shape;
  const one =
    traits.mlpMatrices * expertHidden * intermediateSize +
    (expertBias ? 2 * intermediateSize + hiddenSize : 0);
  const always =
    count * hiddenSize +
    (routerBias ? count : 0) +
    traits.mlpMatrices * hiddenSize * sharedIntermediateSize +
    (expertHidden === hiddenSize ? 0 : 2 * hiddenSize * expertHidden) +
    (shape.sharedExpertGate ? hiddenSize : 0);
  return { all: count * one + always, active: perToken * one + always };
}

function normParameters({ traits, hiddenSize }: DecoderShape): number {
  return hiddenSize * (traits.normBias ? 2 : 1);
}

function endParameters(shape: DecoderShape): number {
  const { vocabularySize, extraEmbeddingRows, hiddenSize, tiedEmbeddings, traits } = shape;
  const positions =
    traits.positionRows === undefined ? 0 : (shape.maxContextTokens ?? 0) + traits.positionRows;
  const head =
    (tiedEmbeddings ? 0 : vocabularySize * hiddenSize) + (traits.headBias ? vocabularySize : 0);
  return (
    (vocabularySize + extraEmbeddingRows + positions) * hiddenSize +
    head +
    normParameters(shape) * (traits.embeddingNorm ? 2 : 1)
  );
}

/** All parameters of a decoder, and those that one token passes through. */
export interface ParameterCount {
  readonly all: number;
  readonly active: number;
}

/**
 * Parameters of a decoder by its shape. Exact for the architectures that are known; of another one it is what a Llama of
 * the same shape has.
 */
export function decoderParameters(shape: DecoderShape): ParameterCount {
  const { layers, kinds, experts, traits } = shape;
  const norms = traits.normsPerLayer * normParameters(shape);
  const recurrent = kinds.recurrent;
  // A cross-attention layer norms one head of queries and of keys, and has two gates (Llama 3.2 Vision).
  const cross = kinds.cross * (attentionParameters(shape) + 2 * shape.headDimension + 2);
  const mixing =
    attendingParameters(shape) +
    cross +
    (recurrent === undefined ? 0 : recurrent.layers * recurrent.parameters);
  const expertLayers = experts?.layers ?? 0;
  const width = experts?.denseIntermediateSize ?? shape.intermediateSize;
  const dense = (shape.mlpLayers - expertLayers) * denseParameters(shape, width);
  const { all, active } = expertParameters(shape);
  const rest = mixing + dense + layers * norms + endParameters(shape);
  return { all: rest + expertLayers * all, active: rest + expertLayers * active };
}
