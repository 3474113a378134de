import type { ConfigFields } from "./config-fields.ts";
import { deltaWords, kimiDeltaAttention } from "./delta-attention.ts";
import { traitsOf } from "./traits.ts";

/** Recurrent layers of one kind, which keep a state of fixed size instead of a cache. */
export interface RecurrentLayers {
  readonly layers: number;
  /** State of one sequence in one layer, numbers. */
  readonly stateSize: number;
  /** Parameters of the mixing part of one layer, its MLP aside. */
  readonly parameters: number;
}

/** How many layers cache every token, only a window, the image, or nothing. */
export interface LayerKinds {
  readonly global: number;
  readonly local: number;
  readonly windowTokens: number | undefined;
  /** "swa" slides, "chunked" begins anew at each multiple of the window. */
  readonly localKind: "swa" | "chunked";
  readonly cross: number;
  readonly recurrent: RecurrentLayers | undefined;
  /** Of the global and the local layers, those with a cache of their own: the last ones may use that of others (Gemma 3n, 4). */
  readonly cached: { readonly global: number; readonly local: number };
}

/** Gated delta net (https://arxiv.org/abs/2412.06464) as Qwen3-Next has it. */
function linearAttention(config: ConfigFields): Omit<RecurrentLayers, "layers"> {
  const hidden = config.neededCount("hidden_size");
  const keyHeads = config.neededCount("linear_num_key_heads");
  const valueHeads = config.neededCount("linear_num_value_heads");
  const keyDimension = config.neededCount("linear_key_head_dim");
  const valueDimension = config.neededCount("linear_value_head_dim");
  const kernel = config.count("linear_conv_kernel_dim") ?? 4;
  const keys = keyHeads * keyDimension;
  const values = valueHeads * valueDimension;
  const convolved = 2 * keys + values;
  return {
    stateSize: valueHeads * keyDimension * valueDimension + convolved * (kernel - 1),
    parameters:
      hidden * (2 * keys + 2 * values + 2 * valueHeads) +
      convolved * kernel +
      2 * valueHeads +
      valueDimension +
      values * hidden,
  };
}

/** Mamba and Mamba-2 (https://arxiv.org/abs/2312.00752, https://arxiv.org/abs/2405.21060). */
function mamba(config: ConfigFields): Omit<RecurrentLayers, "layers"> {
  const hidden = config.neededCount("hidden_size", "d_model");
  const expand = config.count("mamba_expand", "expand") ?? 2;
  const heads = config.count("mamba_num_heads", "mamba_n_heads", "num_heads");
  const headDimension = config.count("mamba_head_dim", "mamba_d_head", "head_dim");
  const inner =
    heads !== undefined && headDimension !== undefined
      ? heads * headDimension
      : (config.count("intermediate_size") ?? hidden * expand);
  const state = config.count("ssm_state_size", "mamba_d_state", "state_size") ?? 16;
  const kernel = config.count("conv_kernel", "mamba_d_conv") ?? 4;
  const groups = config.count("n_groups", "mamba_n_groups") ?? 1;
  const convolved = heads === undefined ? inner : inner + 2 * groups * state;
  const rank = config.count("time_step_rank", "mamba_dt_rank") ?? Math.ceil(hidden / 16);
  const selective =
    heads === undefined ? inner * (rank + 2 * state) + rank * inner + inner * state : 3 * heads;
  const projected = heads === undefined ? 2 * inner : inner + convolved + heads;
  return {
    stateSize: inner * state + convolved * (kernel - 1),
    parameters:
      hidden * projected + convolved * (kernel + 1) + selective + inner * hidden + 2 * inner,
  };
}

function repeat(length: number, kind: (index: number) => string): string[] {
  return Array.from({ length: Math.min(length, 10_000) }, (_, index) => kind(index));
}

const patternWords: Readonly<Record<string, string>> = { M: "mamba", "*": "attention", E: "moe" };

/** What each layer is where a layer is one block alone (Nemotron-H): "mamba", "attention", "moe" or "mlp". */
export function blockWords(config: ConfigFields): readonly string[] | undefined {
  const pattern = config.text("hybrid_override_pattern");
  if (pattern === undefined) return config.texts("layers_block_type", "quiet");
  return pattern.split("").map((letter) => patternWords[letter] ?? "mlp");
}

/** Layers with an MLP or experts: all, unless some are said to be nothing else. */
export function mlpLayers(config: ConfigFields, layers: number): number {
  const alone = blockWords(config)?.filter((word) => word === "mlp" || word === "moe") ?? [];
  return alone.length === 0 ? layers : alone.length;
}

const windowed = /^(sliding|chunked)_attention$/;
/** Layers that cache nothing: MLPs alone, and those that keep a state. */
const cacheless = /^(mlp|moe|mamba2?|linear_attention|conv|recurrent)$/;

/** One word a layer, in the words of `layer_types`; undefined when all layers are alike. */
function layerWords(config: ConfigFields, layers: number): readonly string[] | undefined {
  const listed = config.texts("layer_types");
  if (listed !== undefined) {
    if (listed.length !== layers) {
      config.problem(`layer_types: names ${listed.length} layers of ${layers}`);
    }
    return listed;
  }
  const blocks = blockWords(config) ?? deltaWords(config, layers);
  if (blocks !== undefined) return blocks;
  const slid = config.counts("hybrid_layer_pattern");
  if (slid !== undefined) {
    return slid.map((one) => (one === 0 ? "full_attention" : "sliding_attention"));
  }
  const interval = config.count("full_attention_interval");
  if (interval !== undefined) {
    return repeat(layers, (i) =>
      (i + 1) % interval === 0 ? "full_attention" : "linear_attention",
    );
  }
  const period = config.count("attn_layer_period");
  if (period !== undefined) {
    const offset = config.countOrZero("attn_layer_offset") ?? 0;
    return repeat(layers, (i) => (i % period === offset ? "full_attention" : "mamba"));
  }
  const slides = config.count("sliding_window_pattern", "_sliding_window_pattern");
  if (slides !== undefined) {
    return repeat(layers, (i) => ((i + 1) % slides === 0 ? "full_attention" : "sliding_attention"));
  }
  return undefined;
}

function wordsByType(
  config: ConfigFields,
  layers: number,
  modelType: string,
): readonly string[] | undefined {
  if (/^(falcon_)?mamba2?$/.test(modelType)) return repeat(layers, () => "mamba");
  if (modelType === "gemma2" || modelType === "gpt_oss") {
    return repeat(layers, (i) => (i % 2 === 0 ? "sliding_attention" : "full_attention"));
  }
  if (/^gemma3(_text)?$/.test(modelType)) {
    return repeat(layers, (i) => ((i + 1) % 6 === 0 ? "full_attention" : "sliding_attention"));
  }
  if (modelType === "llama4_text" && config.has("attention_chunk_size")) {
    return repeat(layers, (i) => ((i + 1) % 4 === 0 ? "full_attention" : "chunked_attention"));
  }
  return undefined;
}

function windowOf(config: ConfigFields): number | undefined {
  if (config.flag("use_sliding_window") === false) return undefined;
  return config.count("sliding_window", "attention_chunk_size");
}

function attending(words: readonly string[]): LayerKinds["cached"] {
  return {
    // A word that nobody knows is taken for the dearest kind.
    global: words.filter((word) => !cacheless.test(word) && !windowed.test(word)).length,
    local: words.filter((word) => windowed.test(word)).length,
  };
}

function recurrentLayers(
  config: ConfigFields,
  words: readonly string[],
): RecurrentLayers | undefined {
  const linear = words.filter((word) => word === "linear_attention").length;
  if (linear > 0) {
    return { layers: linear, ...(kimiDeltaAttention(config) ?? linearAttention(config)) };
  }
  const scans = words.filter((word) => word === "mamba").length;
  return scans === 0 ? undefined : { layers: scans, ...mamba(config) };
}

/** How the layers of a decoder attend, from `layer_types` or from the older fields that say the same. */
export function layerKinds(config: ConfigFields, layers: number, modelType: string): LayerKinds {
  const windowTokens = windowOf(config);
  const words = layerWords(config, layers) ?? wordsByType(config, layers, modelType);
  const cross = config.listLength("cross_attention_layers") ?? 0;
  const localKind = config.has("attention_chunk_size") ? "chunked" : "swa";
  if (words === undefined) {
    const all = Math.max(0, layers - cross);
    // An architecture that nobody knows may have its window in some layers only.
    const full = modelType === "phi3" || !traitsOf(modelType).known;
    const global = windowTokens === undefined || full ? all : 0;
    const split = { global, local: all - global };
    return {
      ...split,
      cached: split,
      windowTokens: global > 0 ? undefined : windowTokens,
      localKind,
      cross,
      recurrent: undefined,
    };
  }
  const { global, local } = attending(words);
  const shared = config.countOrZero("num_kv_shared_layers") ?? 0;
  if (local > 0 && windowTokens === undefined) config.problem("sliding_window: is missing");
  return {
    global,
    local,
    cached: attending(words.slice(0, Math.max(1, layers - shared))),
    windowTokens: local > 0 ? windowTokens : undefined,
    localKind,
    cross,
    recurrent: recurrentLayers(config, words),
  };
}
