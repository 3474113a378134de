import type { Model } from "../model.ts";
import { headSharing, tensorParallelSizes } from "./cache-shape.ts";
import { ConfigFields } from "./config-fields.ts";
import type { GgufFiles } from "./model-files.ts";
import { modelId, roundGiB } from "./model-id.ts";

/** ggml's numbers of the formats that are not quantised: F32, F16, F64, BF16. */
const plainTypes = new Set([0, 1, 28, 30]);

/** File types by number (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, general.file_type). */
const fileTypes: Readonly<Record<number, string>> = {
  0: "F32",
  1: "F16",
  2: "Q4_0",
  3: "Q4_1",
  7: "Q8_0",
  8: "Q5_0",
  9: "Q5_1",
  10: "Q2_K",
  11: "Q3_K_S",
  12: "Q3_K_M",
  13: "Q3_K_L",
  14: "Q4_K_S",
  15: "Q4_K_M",
  16: "Q5_K_S",
  17: "Q5_K_M",
  18: "Q6_K",
  19: "IQ2_XXS",
  20: "IQ2_XS",
  23: "IQ3_XXS",
  24: "IQ1_S",
  25: "IQ4_NL",
  26: "IQ3_S",
  27: "IQ3_M",
  28: "IQ2_S",
  29: "IQ2_M",
  30: "IQ4_XS",
  31: "IQ1_M",
  32: "BF16",
  36: "TQ1_0",
  37: "TQ2_0",
  38: "MXFP4",
};

/** Every n-th layer caches the whole context; the others slide (llama.cpp, by architecture). */
const globalEvery: Readonly<Record<string, number>> = {
  gemma2: 2,
  gemma3: 6,
  "gpt-oss": 2,
  cohere2: 4,
  llama4: 4,
};

/** GGUF numbers may be 64 bit; those of a model fit a double. */
function plainValue(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  return Array.isArray(value) ? value.slice(0, 10_000).map(plainValue) : value;
}

function architectureFields(files: GgufFiles, problems: string[]): ConfigFields {
  const whole = new ConfigFields(files.place, files.metadata, problems);
  const architecture = whole.text("general.architecture") ?? "";
  if (architecture === "") whole.problem("general.architecture: is missing");
  const prefix = `${architecture}.`;
  const own = Object.entries(files.metadata)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => [key.slice(prefix.length), plainValue(value)] as const);
  return new ConfigFields(`${files.place}: ${architecture}`, Object.fromEntries(own), problems);
}

interface Cache {
  readonly global: number;
  readonly local: number;
  readonly window: number | undefined;
  readonly kvHeads: number;
}

/** A list of heads by layer has zeros where a layer does not attend. */
function cacheOf(fields: ConfigFields, architecture: string, layers: number, heads: number): Cache {
  const byLayer = fields.counts("attention.head_count_kv");
  const kvHeads =
    byLayer === undefined
      ? (fields.count("attention.head_count_kv") ?? heads)
      : Math.max(1, ...byLayer);
  const attending = byLayer === undefined ? layers : byLayer.filter((count) => count > 0).length;
  const window = fields.count("attention.sliding_window");
  const every = globalEvery[architecture];
  if (window === undefined || every === undefined) {
    return { global: attending, local: 0, window: undefined, kvHeads };
  }
  const global = Math.floor(attending / every);
  return { global, local: attending - global, window, kvHeads };
}

function expertFields(fields: ConfigFields, layers: number): Pick<Model, "experts"> {
  const count = fields.countOrZero("expert_count") ?? 0;
  if (count <= 1) return {};
  const width =
    fields.count("expert_feed_forward_length") ?? fields.neededCount("feed_forward_length");
  const shared = fields.count("expert_shared_feed_forward_length");
  return {
    experts: {
      count,
      perToken: fields.count("expert_used_count") ?? 1,
      intermediateSize: width,
      ...(shared === undefined ? {} : { sharedIntermediateSize: shared }),
      layers: Math.max(1, layers - (fields.countOrZero("leading_dense_block_count") ?? 0)),
    },
  };
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function quantisationFields(
  files: GgufFiles,
  parameters: number,
): Pick<Model, "nativePrecision" | "quantisation"> {
  const number = plainValue(files.metadata["general.file_type"]);
  const name = typeof number === "number" ? (fileTypes[number] ?? "mixed") : "mixed";
  const quantised = files.tensors.filter(({ type }) => !plainTypes.has(type));
  const quantisedParameters = quantised.reduce((sum, { shape }) => sum + elements(shape), 0);
  if (quantisedParameters === 0) return { nativePrecision: name === "F32" ? "fp32" : "fp16" };
  const bitsPerWeight = (files.bytes * 8) / parameters;
  const bits = Number(/\d/.exec(name)?.[0] ?? Math.max(1, Math.floor(bitsPerWeight)));
  return {
    nativePrecision: `gguf ${name}`,
    quantisation: { method: "gguf", bits, bitsPerWeight, quantisedParameters },
  };
}

interface Attention {
  readonly layers: number;
  readonly heads: number;
  readonly hiddenSize: number;
}

function headDimensionOf(fields: ConfigFields, { hiddenSize, heads }: Attention): number {
  return fields.count("attention.key_length") ?? Math.max(1, Math.floor(hiddenSize / heads));
}

function cacheFields(fields: ConfigFields, architecture: string, of: Attention): Partial<Model> {
  const cache = cacheOf(fields, architecture, of.layers, of.heads);
  const headDimension = headDimensionOf(fields, of);
  const valueDimension = fields.count("attention.value_length") ?? headDimension;
  const rank = fields.count("attention.kv_lora_rank");
  const latent =
    rank === undefined ? undefined : rank + (fields.count("rope.dimension_count") ?? 64);
  const layerBytes = 2 * (latent ?? cache.kvHeads * (headDimension + valueDimension));
  return {
    kvHeads: cache.kvHeads,
    headDimension,
    kvType: latent === undefined ? headSharing(of.heads, cache.kvHeads) : "mla",
    ...(latent === undefined ? {} : { mlaLatentDimension: latent }),
    kvGlobalLayers: cache.global,
    kvLocalLayers: cache.local,
    ...(cache.window === undefined ? {} : { kvWindowTokens: cache.window }),
    kvBytesPerToken: cache.global * layerBytes,
    ...(cache.local === 0 ? {} : { kvLocalBytesPerToken: cache.local * layerBytes }),
    tensorParallelSizes: tensorParallelSizes(of.heads, cache.kvHeads),
  };
}

function textFields(files: GgufFiles, fields: ConfigFields): Partial<Model> {
  const embedding = files.tensors.find(({ name }) => name === "token_embd.weight");
  const vocabularySize = embedding?.shape[1];
  const width = fields.counts("feed_forward_length")?.[0] ?? fields.count("feed_forward_length");
  const maxContextTokens = fields.count("context_length");
  return {
    ...(width === undefined ? {} : { intermediateSize: width }),
    ...(vocabularySize === undefined ? {} : { vocabularySize }),
    tiedEmbeddings: files.tensors.every(({ name }) => name !== "output.weight"),
    ...(maxContextTokens === undefined ? {} : { maxContextTokens }),
  };
}

/** A model from the head of its GGUF file. What is wrong is added to `problems`. */
export function fromGguf(files: GgufFiles, problems: string[]): Model {
  const whole = new ConfigFields(files.place, files.metadata, problems);
  const architecture = whole.text("general.architecture") ?? "unknown";
  const fields = architectureFields(files, problems);
  const layers = fields.neededCount("block_count");
  const byLayer = fields.counts("attention.head_count");
  const heads =
    byLayer === undefined ? fields.neededCount("attention.head_count") : Math.max(1, ...byLayer);
  const hiddenSize = fields.neededCount("embedding_length");
  const parameters = files.tensors.reduce((sum, { shape }) => sum + elements(shape), 0);
  if (parameters === 0) whole.problem("lists no tensors");
  const licence = whole.text("general.license");
  return {
    id: modelId(files.name),
    family: whole.text("general.name", "general.basename") ?? files.name,
    task: "text-generation",
    architecture,
    parameters: Math.max(1, parameters),
    parametersBasis: "counted-from-gguf",
    layers,
    hiddenSize,
    attentionHeads: heads,
    ...expertFields(fields, layers),
    ...textFields(files, fields),
    ...quantisationFields(files, Math.max(1, parameters)),
    weightsGiB: roundGiB(files.bytes),
    ...cacheFields(fields, architecture, { layers, heads, hiddenSize }),
    ...(licence === undefined ? {} : { licence }),
    confidence: "high",
    engine: "llama.cpp",
    source: files.place,
  };
}
