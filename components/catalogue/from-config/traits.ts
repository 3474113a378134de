/** What an architecture has that its config.json does not say: where biases, norms and position tables are. */
export interface Traits {
  /** Matrices of one MLP: 3 with a gate, 2 without. */
  readonly mlpMatrices: 2 | 3;
  readonly qkvBias: boolean;
  readonly outputBias: boolean;
  readonly mlpBias: boolean;
  /** Whether norms have a bias beside their weight. */
  readonly normBias: boolean;
  readonly normsPerLayer: number;
  /** Norms of queries and keys: over one head, over all heads, or none. */
  readonly qkNorm: "head" | "full" | "none";
  /** Extra rows of a learned position table beyond the context; undefined without a table. */
  readonly positionRows: number | undefined;
  readonly embeddingNorm: boolean;
  readonly headBias: boolean;
  readonly tied: boolean;
  /** One learned number a head that takes attention (https://arxiv.org/abs/2309.17453). */
  readonly sinks: boolean;
}

const llama: Traits = {
  mlpMatrices: 3,
  qkvBias: false,
  outputBias: false,
  mlpBias: false,
  normBias: false,
  normsPerLayer: 2,
  qkNorm: "none",
  positionRows: undefined,
  embeddingNorm: false,
  headBias: false,
  tied: false,
  sinks: false,
};

/** Layer norms, biases everywhere, an MLP without a gate, and an output head that is the embedding. */
const gpt2: Traits = {
  ...llama,
  mlpMatrices: 2,
  qkvBias: true,
  outputBias: true,
  mlpBias: true,
  normBias: true,
  positionRows: 0,
  tied: true,
};

const qwen2: Traits = { ...llama, qkvBias: true };
const qwen3: Traits = { ...llama, qkNorm: "head" };
const gemma2: Traits = { ...llama, normsPerLayer: 4, tied: true };
const gemma3: Traits = { ...gemma2, qkNorm: "head" };
const neox: Traits = { ...gpt2, positionRows: undefined, tied: false };
const falcon: Traits = {
  ...gpt2,
  qkvBias: false,
  outputBias: false,
  mlpBias: false,
  normsPerLayer: 1,
  positionRows: undefined,
};
const mpt: Traits = { ...falcon, normBias: false, normsPerLayer: 2 };
const cohere: Traits = { ...llama, normsPerLayer: 1, tied: true };
const t5: Traits = { ...llama, mlpMatrices: 2, tied: true };

/**
 * By `model_type` of config.json; each as its modelling file in transformers builds it
 * (https://github.com/huggingface/transformers/tree/main/src/transformers/models).
 */
const traitsByType: Readonly<Record<string, Traits>> = {
  llama,
  llama4_text: llama,
  mllama_text_model: llama,
  mistral: llama,
  ministral3: llama,
  mistral4: llama,
  mixtral: llama,
  granite: llama,
  granitemoe: llama,
  deepseek_v2: llama,
  deepseek_v3: llama,
  deepseek_v32: llama,
  kimi_k2: llama,
  kimi_linear: llama,
  glm5_next_text: llama,
  glm_moe_dsa: llama,
  glm4_moe_lite: llama,
  deepseek_v4: llama,
  mistral_large3: llama,
  phi3: llama,
  gemma: { ...llama, tied: true },
  smollm3: { ...llama, tied: true },
  internlm2: llama,
  baichuan: llama,
  minimax_m2: { ...llama, qkNorm: "full" },
  nemotron_h: { ...llama, mlpMatrices: 2, normsPerLayer: 1 },
  qwen2,
  qwen2_moe: qwen2,
  qwen2_vl: qwen2,
  qwen2_5_vl: qwen2,
  qwen2_5_vl_text: qwen2,
  qwen2_vl_text: qwen2,
  qwen: { ...qwen2 },
  qwen3,
  qwen3_moe: qwen3,
  qwen3_vl_text: qwen3,
  qwen3_vl_moe_text: qwen3,
  qwen3_next: qwen3,
  qwen3_5_text: qwen3,
  qwen3_5_moe_text: qwen3,
  gemma2,
  gemma3: gemma3,
  gemma3_text: gemma3,
  gemma4_text: gemma3,
  gemma4_unified_text: gemma3,
  glm4: { ...llama, normsPerLayer: 4 },
  glm4_moe: llama,
  gpt_oss: { ...llama, qkvBias: true, outputBias: true, sinks: true },
  olmo2: { ...llama, qkNorm: "full" },
  olmo3: { ...llama, qkNorm: "full" },
  stablelm: { ...llama, normBias: true },
  cohere,
  cohere2: cohere,
  gpt2,
  gpt_bigcode: gpt2,
  gpt_neo: { ...gpt2, qkvBias: false },
  gpt_neox: neox,
  gptj: {
    ...gpt2,
    qkvBias: false,
    outputBias: false,
    normsPerLayer: 1,
    positionRows: undefined,
    headBias: true,
    tied: false,
  },
  opt: { ...gpt2, positionRows: 2 },
  bloom: { ...gpt2, positionRows: undefined, embeddingNorm: true },
  phi: { ...neox, normsPerLayer: 1, headBias: true },
  starcoder2: { ...gpt2, positionRows: undefined },
  falcon,
  mpt,
  t5,
  mt5: { ...t5, tied: false },
  bart: { ...gpt2, positionRows: 2 },
  whisper: { ...gpt2, positionRows: 0 },
};

/** Traits of a `model_type`, and whether they are known or those of a Llama are taken for them. */
export function traitsOf(modelType: string): { readonly traits: Traits; readonly known: boolean } {
  const traits = Object.hasOwn(traitsByType, modelType) ? traitsByType[modelType] : undefined;
  return { traits: traits ?? llama, known: traits !== undefined };
}
