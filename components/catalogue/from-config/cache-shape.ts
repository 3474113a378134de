import type { Model } from "../model.ts";
import { entryBytesPerToken, windowBytes } from "./compressed-attention.ts";
import type { DecoderShape } from "./decoder-shape.ts";

type CacheFields = Pick<
  Model,
  | "kvType"
  | "mlaLatentDimension"
  | "mla"
  | "kvGlobalLayers"
  | "kvLocalLayers"
  | "kvWindowTokens"
  | "kvGlobalHeads"
  | "kvGlobalHeadDimension"
  | "kvBytesPerToken"
  | "kvLocalBytesPerToken"
  | "stateBytesPerSequence"
  | "tensorParallelSizes"
>;

/** Bytes of a cached number in 16 bit. */
const cacheBytes = 2;
/** Recurrent states are kept in 32 bit (llama.cpp does; vLLM keeps the convolution's part in 16). */
const stateBytes = 4;

/** "mha", "gqa" or "mqa", by how many heads keys and values have. */
export function headSharing(attentionHeads: number, kvHeads: number): string {
  if (kvHeads === attentionHeads) return "mha";
  return kvHeads === 1 ? "mqa" : "gqa";
}

function kvTypeOf({ attentionHeads, kvHeads, kinds, mla }: DecoderShape): string {
  const { global, local, localKind, recurrent } = kinds;
  if (global + local === 0) return "none";
  if (mla !== undefined) return "mla";
  const heads = headSharing(attentionHeads, kvHeads);
  if (recurrent !== undefined) return `${heads}-linear-hybrid`;
  if (local === 0) return heads;
  if (localKind === "chunked") return `${heads}-chunked`;
  return global === 0 ? `${heads}-swa` : `${heads}-swa-hybrid`;
}

/** Of 1, 2, 4 and 8, those that the heads divide over, key and value heads being repeated where they are fewer. */
export function tensorParallelSizes(attentionHeads: number, kvHeads: number): number[] {
  return [1, 2, 4, 8].filter(
    (size) => attentionHeads % size === 0 && (kvHeads % size === 0 || size % kvHeads === 0),
  );
}

/** The cache of compressed attention: entries for what lies beyond the window, and the windows as a fixed state. */
function compressedCache(shape: DecoderShape): CacheFields | undefined {
  const { compressed, headDimension, attentionHeads, kvHeads } = shape;
  if (compressed === undefined) return undefined;
  const entries = compressed.ratios.filter((ratio) => ratio > 0).length;
  return {
    kvType: "compressed",
    kvGlobalLayers: entries,
    kvLocalLayers: 0,
    kvBytesPerToken: entryBytesPerToken(compressed, headDimension),
    stateBytesPerSequence: windowBytes(compressed, headDimension),
    tensorParallelSizes: tensorParallelSizes(attentionHeads, kvHeads),
  };
}

/** What a decoder caches for a token and keeps for a sequence, in 16 bit. */
export function cacheShape(shape: DecoderShape): CacheFields {
  const compressed = compressedCache(shape);
  if (compressed !== undefined) return compressed;
  const { kinds, kvHeads, headDimension, attentionHeads, mla } = shape;
  const latent = mla === undefined ? undefined : mla.latentRank + mla.ropeDimension;
  const layerBytes = cacheBytes * (latent ?? 2 * kvHeads * headDimension);
  const { globalHeads } = shape;
  const globalBytes =
    globalHeads === undefined
      ? layerBytes
      : cacheBytes * 2 * globalHeads.kvHeads * globalHeads.headDimension;
  const { windowTokens, recurrent } = kinds;
  const { global, local } = kinds.cached;
  return {
    kvType: kvTypeOf(shape),
    ...(latent === undefined ? {} : { mlaLatentDimension: latent }),
    ...(mla === undefined ? {} : { mla }),
    kvGlobalLayers: global,
    kvLocalLayers: local,
    ...(windowTokens === undefined ? {} : { kvWindowTokens: windowTokens }),
    ...(globalHeads === undefined
      ? {}
      : {
          kvGlobalHeads: globalHeads.kvHeads,
          kvGlobalHeadDimension: globalHeads.headDimension,
        }),
    kvBytesPerToken: global * globalBytes,
    ...(local === 0 ? {} : { kvLocalBytesPerToken: local * layerBytes }),
    ...(recurrent === undefined
      ? {}
      : { stateBytesPerSequence: recurrent.layers * recurrent.stateSize * stateBytes }),
    tensorParallelSizes: tensorParallelSizes(
      attentionHeads,
      mla === undefined ? kvHeads : attentionHeads,
    ),
  };
}
