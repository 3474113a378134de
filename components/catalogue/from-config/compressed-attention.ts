import type { ConfigFields } from "./config-fields.ts";

/**
 * DeepSeek V4's attention: one key a token that is its own value, a window of it in each layer, and beyond the window one
 * entry for `ratio` tokens; layers of a low ratio choose among the entries with an index of their own
 * (https://github.com/huggingface/transformers/blob/main/src/transformers/models/deepseek_v4/modeling_deepseek_v4.py).
 */
export interface CompressedAttention {
  /** Tokens of one entry in each layer; 0 where a layer has the window alone. */
  readonly ratios: readonly number[];
  readonly windowTokens: number;
  readonly queryRank: number;
  readonly outputRank: number;
  readonly outputGroups: number;
  readonly indexHeads: number;
  readonly indexDimension: number;
  /** Residual streams that each layer mixes. */
  readonly streams: number;
}

/** Layers that look their entries up have ratios below it; above, an entry is so wide that all are read. */
const indexedBelow = 128;

/** Bytes of a cached number in 16 bit. */
const cacheBytes = 2;

/** The attention of a config.json with `compress_ratios`; undefined without. */
export function compressedAttention(
  config: ConfigFields,
  layers: number,
): CompressedAttention | undefined {
  const ratios = config.counts("compress_ratios");
  if (ratios === undefined) return undefined;
  if (ratios.length < layers) {
    config.problem(`compress_ratios: names ${ratios.length} layers of ${layers}`);
  }
  return {
    // Those past the last layer are of the layers for token prediction.
    ratios: ratios.slice(0, layers),
    windowTokens: config.neededCount("sliding_window"),
    queryRank: config.neededCount("q_lora_rank"),
    outputRank: config.neededCount("o_lora_rank"),
    outputGroups: config.neededCount("o_groups"),
    indexHeads: config.neededCount("index_n_heads"),
    indexDimension: config.neededCount("index_head_dim"),
    streams: config.count("hc_mult") ?? 1,
  };
}

/** What all layers cache for a token beyond the window, bytes in 16 bit; a part of an entry counts. */
export function entryBytesPerToken(attention: CompressedAttention, headDimension: number): number {
  const { ratios, indexDimension } = attention;
  const bytes = ratios.map((ratio) => {
    if (ratio === 0) return 0;
    const width = headDimension + (ratio < indexedBelow ? indexDimension : 0);
    return (cacheBytes * width) / ratio;
  });
  return Math.ceil(bytes.reduce((sum, each) => sum + each, 0));
}

/** The windows of all layers for one sequence, bytes in 16 bit. */
export function windowBytes(attention: CompressedAttention, headDimension: number): number {
  return attention.ratios.length * attention.windowTokens * headDimension * cacheBytes;
}

/** Parameters of the attention of all layers, and of what mixes the residual streams. */
export function compressedParameters(
  attention: CompressedAttention,
  shape: { readonly hiddenSize: number; readonly heads: number; readonly headDimension: number },
): number {
  const { hiddenSize: hidden, heads, headDimension } = shape;
  const { queryRank, outputRank, outputGroups, indexHeads, indexDimension, streams } = attention;
  const compressor = (width: number, ratio: number) => 2 * hidden * width + ratio * width;
  const index = (ratio: number) =>
    compressor(2 * indexDimension, ratio) +
    indexDimension +
    queryRank * indexHeads * indexDimension +
    hidden * indexHeads;
  const ofRatio = (ratio: number): number => {
    if (ratio === 0) return 0;
    if (ratio >= indexedBelow) return compressor(headDimension, ratio) + headDimension;
    return compressor(2 * headDimension, ratio) + headDimension + index(ratio);
  };
  const queries = hidden * queryRank + queryRank + queryRank * heads * headDimension;
  const keys = hidden * headDimension + headDimension;
  const output = outputRank * heads * headDimension + outputGroups * outputRank * hidden;
  const each = queries + keys + output + heads;
  const weights = streams * (streams + 2);
  const mixing = streams === 1 ? 0 : 2 * (weights * streams * hidden + weights + 3);
  const last = streams === 1 ? 0 : streams * streams * hidden + streams + 1;
  const layers = attention.ratios.map((ratio) => each + mixing + ofRatio(ratio));
  return layers.reduce((sum, parameters) => sum + parameters, last);
}
