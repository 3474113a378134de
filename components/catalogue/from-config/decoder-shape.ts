import type { Model } from "../model.ts";
import type { ConfigFields } from "./config-fields.ts";
import { layerKinds, type LayerKinds } from "./layer-kinds.ts";
import { traitsOf, type Traits } from "./traits.ts";

/** The decoder of a language model, in the words of the catalogue, with what its architecture adds. */
export interface DecoderShape {
  readonly modelType: string;
  readonly knownType: boolean;
  readonly traits: Traits;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly attentionHeads: number;
  readonly kvHeads: number;
  readonly headDimension: number;
  /** Heads of the layers with full attention, where they differ from the others (Gemma 4). */
  readonly globalHeads: { readonly kvHeads: number; readonly headDimension: number } | undefined;
  readonly intermediateSize: number;
  readonly vocabularySize: number;
  /** Rows of the input embedding beyond the vocabulary. */
  readonly extraEmbeddingRows: number;
  readonly tiedEmbeddings: boolean;
  readonly maxContextTokens: number | undefined;
  readonly experts: Model["experts"];
  /** A router that adds a learned bias to each expert's score. */
  readonly routerBias: boolean;
  readonly expertBias: boolean;
  /** A gate of one row before the shared expert. */
  readonly sharedExpertGate: boolean;
  /** Queries that carry a gate for the output, and so are twice as wide. */
  readonly gatedQueries: boolean;
  readonly mla: Model["mla"];
  readonly kinds: LayerKinds;
}

function kvHeadsOf(config: ConfigFields, attentionHeads: number): number {
  if (config.flag("multi_query") === true && config.flag("new_decoder_architecture") !== true) {
    return 1;
  }
  const named =
    config.count("num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num") ??
    config.section("attn_config")?.count("kv_n_heads") ??
    attentionHeads;
  if (attentionHeads % named !== 0) {
    config.problem(
      `num_key_value_heads: ${named} do not divide the ${attentionHeads} attention heads`,
    );
  }
  return named;
}

function globalHeadsOf(config: ConfigFields, kvHeads: number): DecoderShape["globalHeads"] {
  const headDimension = config.count("global_head_dim");
  if (headDimension === undefined) return undefined;
  return { kvHeads: config.count("num_global_key_value_heads") ?? kvHeads, headDimension };
}

function intermediateOf(config: ConfigFields, hiddenSize: number, modelType: string): number {
  // The first Qwen's figure counts both halves of the gate.
  if (modelType === "qwen") return (config.count("intermediate_size") ?? hiddenSize * 8) / 2;
  const named = ["decoder_ffn_dim", "intermediate_size", "n_inner", "ffn_dim", "d_ff"];
  const ratio = config.count("expansion_ratio") ?? 4;
  return config.count(...named, "ffn_hidden_size") ?? hiddenSize * ratio;
}

function contextOf(config: ConfigFields): number | undefined {
  return config.count(
    "max_position_embeddings",
    "n_positions",
    "max_sequence_length",
    "model_max_length",
    "max_seq_len",
    "seq_length",
    "max_target_positions",
    "n_ctx",
  );
}

function mlaOf(config: ConfigFields): Model["mla"] {
  const latentRank = config.count("kv_lora_rank");
  if (latentRank === undefined) return undefined;
  const queryRank = config.count("q_lora_rank");
  return {
    ...(queryRank === undefined ? {} : { queryRank }),
    latentRank,
    ropeDimension: config.neededCount("qk_rope_head_dim"),
    nopeDimension: config.neededCount("qk_nope_head_dim"),
    valueDimension: config.neededCount("v_head_dim"),
  };
}

/** Layers with experts: all, all but the first few, or each n-th. */
function expertLayers(config: ConfigFields, layers: number): number {
  const dense = config.countOrZero("first_k_dense_replace") ?? config.listLength("mlp_only_layers");
  if (dense !== undefined && dense > 0) return Math.max(1, layers - dense);
  const step = config.count("interleave_moe_layer_step", "decoder_sparse_step", "moe_layer_freq");
  return Math.max(1, Math.floor(layers / (step ?? 1)));
}

/** Width of all shared experts of a layer together. */
function sharedWidth(config: ConfigFields, modelType: string, width: number): number | undefined {
  const own = config.count("shared_expert_intermediate_size");
  if (own !== undefined || modelType === "llama4_text") return own ?? width;
  const shared = config.countOrZero("n_shared_experts") ?? 0;
  return shared === 0 ? undefined : shared * width;
}

function expertsOf(config: ConfigFields, layers: number, modelType: string): Model["experts"] {
  const count = config.count("num_local_experts", "num_experts", "n_routed_experts");
  if (count === undefined || count === 1) return undefined;
  const perToken = config.count("num_experts_per_tok", "experts_per_token", "moe_topk") ?? 1;
  if (perToken > count) config.problem(`num_experts_per_tok: ${perToken} of ${count} experts`);
  const own = config.count("moe_intermediate_size");
  const intermediateSize = own ?? config.neededCount("intermediate_size");
  const sharedIntermediateSize = sharedWidth(config, modelType, intermediateSize);
  const moeLayers = expertLayers(config, layers);
  const plain = own === undefined ? undefined : config.count("intermediate_size");
  const dense = config.count("intermediate_size_mlp") ?? plain;
  return {
    count,
    perToken,
    intermediateSize,
    ...(sharedIntermediateSize === undefined ? {} : { sharedIntermediateSize }),
    layers: moeLayers,
    ...(moeLayers < layers && dense !== undefined ? { denseIntermediateSize: dense } : {}),
  };
}

function traitsIn(config: ConfigFields, known: Traits): Traits {
  const attentionBias = config.flag("attention_bias", "use_bias");
  const qkvBias = config.flag("use_qkv_bias") ?? attentionBias ?? known.qkvBias;
  const glm = config.text("model_type")?.startsWith("glm4") === true;
  const gated = config.text("feed_forward_proj")?.startsWith("gated") === true;
  return {
    ...known,
    mlpMatrices: gated ? 3 : known.mlpMatrices,
    qkvBias,
    outputBias: (glm ? undefined : attentionBias) ?? known.outputBias,
    mlpBias: config.flag("mlp_bias", "use_bias") ?? known.mlpBias,
    qkNorm: config.flag("use_qk_norm") === true && known.qkNorm === "none" ? "head" : known.qkNorm,
    normsPerLayer: config.flag("new_decoder_architecture") === true ? 2 : known.normsPerLayer,
  };
}

/** Reads the decoder of a transformers config.json; what is wrong or missing is added to the problems of `config`. */
export function decoderShape(config: ConfigFields): DecoderShape {
  const modelType = config.text("model_type") ?? "unknown";
  const { traits, known } = traitsOf(modelType);
  const layers = config.neededCount(
    "num_decoder_layers",
    "decoder_layers",
    "num_hidden_layers",
    "n_layer",
    "n_layers",
    "num_layers",
  );
  const hiddenSize = config.neededCount("hidden_size", "n_embd", "d_model");
  const attentionHeads = config.neededCount(
    "decoder_attention_heads",
    "num_attention_heads",
    "n_head",
    "n_heads",
    "num_heads",
  );
  const headDimension =
    config.count("head_dim", "kv_channels", "d_kv") ?? hiddenSize / attentionHeads;
  if (!Number.isInteger(headDimension)) {
    config.problem(
      `hidden_size: ${hiddenSize} does not divide over ${attentionHeads} attention heads`,
    );
  }
  const experts = expertsOf(config, layers, modelType);
  const kvHeads = kvHeadsOf(config, attentionHeads);
  return {
    modelType,
    knownType: known,
    traits: traitsIn(config, traits),
    layers,
    hiddenSize,
    attentionHeads,
    kvHeads,
    headDimension,
    globalHeads: globalHeadsOf(config, kvHeads),
    intermediateSize: intermediateOf(config, hiddenSize, modelType),
    vocabularySize: config.neededCount("vocab_size", "padded_vocab_size"),
    extraEmbeddingRows: modelType === "mllama_text_model" ? 8 : 0,
    tiedEmbeddings: config.flag("tie_word_embeddings") ?? traits.tied,
    maxContextTokens: contextOf(config),
    experts,
    routerBias: modelType === "gpt_oss",
    expertBias: modelType === "gpt_oss",
    sharedExpertGate: /^qwen(2_moe|3_next|3_5_moe_text)$/.test(modelType),
    gatedQueries:
      config.flag("attn_output_gate") ?? /^qwen3_(next|5_text|5_moe_text)$/.test(modelType),
    mla: mlaOf(config),
    kinds: layerKinds(config, layers, modelType),
  };
}
