import type { Model } from "../model.ts";
import { compressedAttention, type CompressedAttention } from "./compressed-attention.ts";
import type { ConfigFields } from "./config-fields.ts";
import { expertsOf } from "./expert-layers.ts";
import { blockWords, layerKinds, mlpLayers, type LayerKinds } from "./layer-kinds.ts";
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
  readonly globalHeads:
    | {
        readonly kvHeads: number;
        readonly headDimension: number;
        /** Whether their keys are their values too, so that one projection makes both. */
        readonly keyIsValue: boolean;
      }
    | undefined;
  readonly intermediateSize: number;
  readonly vocabularySize: number;
  /** Rows of the input embedding beyond the vocabulary. */
  readonly extraEmbeddingRows: number;
  readonly tiedEmbeddings: boolean;
  readonly maxContextTokens: number | undefined;
  readonly experts: Model["experts"];
  /** Layers with an MLP or experts; fewer than all where each layer is a mixer or an MLP alone (Nemotron-H). */
  readonly mlpLayers: number;
  /** Width that the routed experts work in, where it is another than that of the stream. */
  readonly expertHidden: number | undefined;
  /** A router that adds a learned bias to each expert's score. */
  readonly routerBias: boolean;
  readonly expertBias: boolean;
  /** A gate of one row before the shared expert. */
  readonly sharedExpertGate: boolean;
  /** Queries that carry a gate for the output, and so are twice as wide. */
  readonly gatedQueries: boolean;
  readonly mla: Model["mla"];
  /** A gate on what latent attention gives out, as wide as its values (Kimi K3). */
  readonly latentGate: boolean;
  readonly compressed: CompressedAttention | undefined;
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
  return {
    kvHeads: config.count("num_global_key_value_heads") ?? kvHeads,
    headDimension,
    keyIsValue: config.flag("attention_k_eq_v") === true,
  };
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
    ropeDimension: config.countOrZero("qk_rope_head_dim") ?? config.neededCount("qk_rope_head_dim"),
    nopeDimension: config.neededCount("qk_nope_head_dim"),
    valueDimension: config.neededCount("v_head_dim"),
  };
}

/** Norms of a layer, and vectors as wide as one. */
function normsIn(config: ConfigFields, known: Traits): number {
  if (config.flag("new_decoder_architecture") === true) return 2;
  // Attention over the residuals of earlier blocks (Kimi K3) has two norms more, and two rows that score them.
  return known.normsPerLayer + (config.has("attn_res_block_size") ? 4 : 0);
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
    normsPerLayer: normsIn(config, known),
  };
}

function layersOf(config: ConfigFields): number {
  const names = ["num_decoder_layers", "decoder_layers", "num_hidden_layers", "n_layer"] as const;
  const listed = config.has(...names) ? undefined : blockWords(config)?.length;
  return listed ?? config.neededCount(...names, "n_layers", "num_layers");
}

/** Zero stands where latent attention has sizes of its own instead. */
function headDimensionIn(config: ConfigFields): number | undefined {
  const named = config.countOrZero("head_dim", "kv_channels", "d_kv");
  return named === 0 ? undefined : named;
}

/** Reads the decoder of a transformers config.json; what is wrong or missing is added to the problems of `config`. */
export function decoderShape(config: ConfigFields): DecoderShape {
  const modelType = config.text("model_type") ?? "unknown";
  const { traits, known } = traitsOf(modelType);
  const layers = layersOf(config);
  const hiddenSize = config.neededCount("hidden_size", "n_embd", "d_model");
  const attentionHeads = config.neededCount(
    "decoder_attention_heads",
    "num_attention_heads",
    "n_head",
    "n_heads",
    "num_heads",
  );
  const mla = mlaOf(config);
  const headDimension =
    headDimensionIn(config) ??
    (mla === undefined ? hiddenSize / attentionHeads : mla.nopeDimension + mla.ropeDimension);
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
    mlpLayers: mlpLayers(config, layers),
    expertHidden: config.count("moe_latent_size", "routed_expert_hidden_size"),
    routerBias: modelType === "gpt_oss",
    expertBias: modelType === "gpt_oss",
    sharedExpertGate: /^qwen(2_moe|3_next|3_5_moe_text)$/.test(modelType),
    gatedQueries:
      config.flag("attn_output_gate") ?? /^qwen3_(next|5_text|5_moe_text)$/.test(modelType),
    mla,
    latentGate: config.flag("mla_use_output_gate") === true,
    compressed: compressedAttention(config, layers),
    kinds: layerKinds(config, layers, modelType),
  };
}
