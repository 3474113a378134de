import type { ModelShape } from "./model-shape.ts";
import type { GgufFormat, WeightFormat } from "./workload.ts";

/**
 * Bits of one weight in llama.cpp's block formats: a scale for 32 weights, or nested scales for 256
 * (https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-common.h).
 */
const bits = {
  q8_0: 8.5,
  q6_k: 6.5625,
  q5_k: 5.5,
  q5_0: 5.5,
  q4_k: 4.5,
  q4_1: 5,
  q4_0: 4.5,
  iq4_xs: 4.25,
  q3_k: 3.4375,
  q2_k: 2.625,
} as const;
type Block = keyof typeof bits;

/** Which block format each kind of tensor gets. */
interface Mixture {
  readonly rest: Block;
  /** @default q6_k */
  readonly output?: Block;
  /** @default rest */
  readonly embedding?: Block;
  /** Value projection: the format, and the share of the layers that get it; the others have `rest`. */
  readonly value?: readonly [Block, number];
  readonly down?: readonly [Block, number];
  /** Output projection of the attention. @default rest */
  readonly attentionOutput?: Block;
}

/** First and last eighth of the layers, and every third between. */
const moreBits = 0.5;

/** The mixtures of `llama-quantize` without an importance matrix. */
const mixtures = {
  q8_0: { rest: "q8_0", output: "q8_0" },
  q6_k: { rest: "q6_k" },
  q5_k_m: { rest: "q5_k", value: ["q6_k", moreBits], down: ["q6_k", moreBits] },
  q5_k_s: { rest: "q5_k" },
  q5_0: { rest: "q5_0" },
  q4_k_m: { rest: "q4_k", value: ["q6_k", moreBits], down: ["q6_k", moreBits] },
  q4_k_s: { rest: "q4_k", value: ["q5_k", 1 / 8], down: ["q5_k", 1 / 8] },
  q4_1: { rest: "q4_1" },
  q4_0: { rest: "q4_0" },
  iq4_xs: { rest: "iq4_xs", value: ["q5_k", 1], down: ["q5_k", 1 / 8] },
  q3_k_l: { rest: "q3_k", value: ["q5_k", 1], down: ["q5_k", 1], attentionOutput: "q5_k" },
  q3_k_m: { rest: "q3_k", value: ["q4_k", 1], down: ["q4_k", 1], attentionOutput: "q4_k" },
  q3_k_s: { rest: "q3_k" },
  q2_k: { rest: "q2_k", value: ["q4_k", 1], down: ["q3_k", 1], attentionOutput: "q3_k" },
} as const satisfies Record<GgufFormat, Mixture>;

/** Whether the format is one of llama.cpp's. */
export function isGguf(format: WeightFormat): format is GgufFormat {
  return format in mixtures;
}

function mixed(rest: Block, [block, share]: readonly [Block, number]): number {
  return bits[block] * share + bits[rest] * (1 - share);
}

/** Parameters by kind of tensor; what the shape does not name (experts, norms) counts as the rest. */
function tensors(shape: ModelShape) {
  const { layers, hiddenSize, headDimension, kvHeads, attentionHeads, vocabularySize } = shape;
  const table = vocabularySize * hiddenSize;
  const linear = shape.parameters - table * (shape.tiedEmbeddings ? 1 : 2);
  const value = layers * hiddenSize * kvHeads * headDimension;
  const attention = 2 * layers * hiddenSize * attentionHeads * headDimension + 2 * value;
  const down = Math.max(0, linear - attention) / shape.feedForwardMatrices;
  return { table, linear, value, down, attentionOutput: (attention - 2 * value) / 2 };
}

/** Bytes of embedding and of output head; a tied table is stored once, in the head's format. */
export function ggufTableBytes(shape: ModelShape, format: GgufFormat) {
  const { rest, output = "q6_k", embedding = rest }: Mixture = mixtures[format];
  const table = shape.vocabularySize * shape.hiddenSize;
  const head = (table * bits[output]) / 8;
  return { embedding: shape.tiedEmbeddings ? 0 : (table * bits[embedding]) / 8, head };
}

/** Bytes of a GGUF file of that type. */
export function ggufBytes(shape: ModelShape, format: GgufFormat): number {
  const mixture: Mixture = mixtures[format];
  const { rest } = mixture;
  const { linear, value, down, attentionOutput } = tensors(shape);
  const { embedding, head } = ggufTableBytes(shape, format);
  const plain = linear - value - down - attentionOutput;
  const linearBits =
    plain * bits[rest] +
    value * mixed(rest, mixture.value ?? [rest, 1]) +
    down * mixed(rest, mixture.down ?? [rest, 1]) +
    attentionOutput * bits[mixture.attentionOutput ?? rest];
  return embedding + head + linearBits / 8;
}
