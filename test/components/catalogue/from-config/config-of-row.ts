import type { Model } from "../../../../components/catalogue/model.ts";

type Config = Record<string, unknown>;

const siglip = {
  model_type: "siglip_vision_model",
  hidden_size: 1152,
  num_hidden_layers: 27,
  intermediate_size: 4304,
  image_size: 896,
  patch_size: 14,
};
const qwen25Vision = {
  depth: 32,
  hidden_size: 1280,
  intermediate_size: 3420,
  patch_size: 14,
  temporal_patch_size: 2,
  spatial_merge_size: 2,
};
const qwen3Vision = {
  depth: 27,
  hidden_size: 1152,
  intermediate_size: 4304,
  patch_size: 16,
  temporal_patch_size: 2,
  spatial_merge_size: 2,
  num_position_embeddings: 2304,
  deepstack_visual_indexes: [8, 16, 24],
};
const qwen3SmallVision = { ...qwen3Vision, depth: 24, hidden_size: 1024, intermediate_size: 4096 };
const pixtral = {
  model_type: "pixtral",
  hidden_size: 1024,
  num_hidden_layers: 24,
  intermediate_size: 4096,
  patch_size: 14,
};
const llama4Vision = {
  model_type: "llama4_vision_model",
  hidden_size: 1408,
  num_hidden_layers: 34,
  intermediate_size: 5632,
  image_size: 336,
  patch_size: 14,
};
const mllamaVision = {
  model_type: "mllama_vision_model",
  hidden_size: 1280,
  num_hidden_layers: 32,
  num_global_layers: 8,
  intermediate_size: 5120,
  image_size: 560,
  patch_size: 14,
  max_num_tiles: 4,
  vision_output_dim: 7680,
};

/** `model_type` of the language model, and of the whole with its vision section where there is one. */
const byArchitecture: Readonly<
  Record<string, readonly [text: string, whole?: string, vision?: Config]>
> = {
  LlamaForCausalLM: ["llama"],
  Qwen2ForCausalLM: ["qwen2"],
  Qwen3ForCausalLM: ["qwen3"],
  MistralForCausalLM: ["mistral"],
  Phi3ForCausalLM: ["phi3"],
  Gemma2ForCausalLM: ["gemma2"],
  Gemma3ForCausalLM: ["gemma3_text"],
  Gemma3ForConditionalGeneration: ["gemma3_text", "gemma3", siglip],
  DeepseekV3ForCausalLM: ["deepseek_v3"],
  DeepseekV2ForCausalLM: ["deepseek_v2"],
  QWenLMHeadModel: ["qwen"],
  FalconForCausalLM: ["falcon"],
  GPTNeoForCausalLM: ["gpt_neo"],
  Starcoder2ForCausalLM: ["starcoder2"],
  Qwen3MoeForCausalLM: ["qwen3_moe"],
  MixtralForCausalLM: ["mixtral"],
  OPTForCausalLM: ["opt"],
  PhiForCausalLM: ["phi"],
  GptOssForCausalLM: ["gpt_oss"],
  Glm4MoeForCausalLM: ["glm4_moe"],
  Glm4ForCausalLM: ["glm4"],
  GPTBigCodeForCausalLM: ["gpt_bigcode"],
  BloomForCausalLM: ["bloom"],
  MllamaForConditionalGeneration: ["mllama_text_model", "mllama", mllamaVision],
  Llama4ForConditionalGeneration: ["llama4_text", "llama4", llama4Vision],
  Qwen2_5_VLForConditionalGeneration: ["qwen2", "qwen2_5_vl", qwen25Vision],
  Qwen3VLForConditionalGeneration: ["qwen3_vl_text", "qwen3_vl", qwen3Vision],
  Qwen3VLMoeForConditionalGeneration: ["qwen3_vl_moe_text", "qwen3_vl_moe", qwen3Vision],
  Mistral3ForConditionalGeneration: ["mistral", "mistral3", pixtral],
  Qwen3_5ForConditionalGeneration: [
    "qwen3_5_text",
    "qwen3_5",
    { ...qwen3Vision, deepstack_visual_indexes: [] },
  ],
  Qwen3_5MoeForConditionalGeneration: [
    "qwen3_5_moe_text",
    "qwen3_5_moe",
    { ...qwen3Vision, deepstack_visual_indexes: [] },
  ],
};

const linearAttention = {
  full_attention_interval: 4,
  linear_num_key_heads: 16,
  linear_key_head_dim: 128,
  linear_value_head_dim: 128,
};

/** What the rows do not carry, because only the count of parameters needs it. */
const rest: Readonly<Record<string, Config>> = {
  "falcon-7b": { multi_query: true },
  "falcon-40b": { new_decoder_architecture: true },
  "falcon-180b": { new_decoder_architecture: true },
  "glm-4-9b-0414": { attention_bias: true },
  "glm-4.5": { attention_bias: true, use_qk_norm: true },
  "glm-4.5-air": { attention_bias: true },
  "glm-4.6": { attention_bias: true, use_qk_norm: true },
  "glm-4.7": { attention_bias: true, use_qk_norm: true },
  "qwen3.5-27b": { ...linearAttention, linear_num_value_heads: 48 },
  "qwen3.5-35b-a3b": { ...linearAttention, linear_num_value_heads: 32 },
};

function expertFields({ experts, layers = 0 }: Model, modelType: string): Config {
  if (experts === undefined) return {};
  const fields = {
    num_experts: experts.count,
    num_experts_per_tok: experts.perToken,
    moe_intermediate_size: experts.intermediateSize,
    shared_expert_intermediate_size: experts.sharedIntermediateSize,
    ...(experts.denseIntermediateSize === undefined
      ? {}
      : { intermediate_size: experts.denseIntermediateSize }),
  };
  return modelType === "llama4_text"
    ? { ...fields, interleave_moe_layer_step: layers / experts.layers }
    : { ...fields, first_k_dense_replace: layers - experts.layers };
}

function latentFields({ mla }: Model): Config {
  if (mla === undefined) return {};
  return {
    kv_lora_rank: mla.latentRank,
    q_lora_rank: mla.queryRank ?? null,
    qk_rope_head_dim: mla.ropeDimension,
    qk_nope_head_dim: mla.nopeDimension,
    v_head_dim: mla.valueDimension,
  };
}

function textConfig(model: Model, modelType: string): Config {
  const width = model.intermediateSize;
  return {
    model_type: modelType,
    num_hidden_layers: model.layers,
    hidden_size: model.hiddenSize,
    num_attention_heads: model.attentionHeads,
    num_key_value_heads: model.kvHeads,
    head_dim: model.headDimension ?? null,
    intermediate_size: modelType === "qwen" && width !== undefined ? width * 2 : width,
    vocab_size: model.vocabularySize,
    tie_word_embeddings: model.tiedEmbeddings,
    max_position_embeddings: model.maxContextTokens,
    ...(modelType.startsWith("llama4")
      ? { attention_chunk_size: model.kvWindowTokens }
      : { sliding_window: model.kvWindowTokens }),
    ...(model.crossAttentionLayers === undefined
      ? {}
      : {
          cross_attention_layers: Array.from({ length: model.crossAttentionLayers }, (_, i) => i),
        }),
    ...expertFields(model, modelType),
    ...latentFields(model),
    ...rest[model.id],
  };
}

const dtypes: Readonly<Record<string, string>> = {
  fp32: "float32",
  fp16: "float16",
  bf16: "bfloat16",
};

/** The small and the large ones of a family have another tower. */
function visionOf(id: string): Config | undefined {
  if (/^qwen3-vl-[24]b$/.test(id)) return qwen3SmallVision;
  if (/^qwen2.5-vl-(32|72)b$/.test(id)) return { ...qwen25Vision, intermediate_size: 3456 };
  return undefined;
}

/** A config.json as the model of that row has it; undefined where the architecture is none of transformers'. */
export function configOfRow(model: Model): Config | undefined {
  const [modelType, whole, vision] = byArchitecture[model.architecture] ?? [];
  if (modelType === undefined) return undefined;
  const text = textConfig(model, modelType);
  const head = {
    architectures: [model.architecture],
    dtype: dtypes[model.nativePrecision] ?? "bfloat16",
    ...(model.nativePrecision === "fp8"
      ? { quantization_config: { quant_method: "fp8", weight_block_size: [128, 128] } }
      : {}),
    ...(model.nativePrecision.startsWith("mxfp4")
      ? { quantization_config: { quant_method: "mxfp4" } }
      : {}),
  };
  if (whole === undefined || vision === undefined) return { ...text, ...head };
  return {
    model_type: whole,
    ...head,
    text_config: text,
    vision_config: visionOf(model.id) ?? vision,
  };
}
