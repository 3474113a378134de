import assert from "node:assert/strict";
import { modelFromFiles } from "../../../../components/catalogue/from-config/model-from-files.ts";

function drawn(config: unknown) {
  return modelFromFiles({ kind: "transformers", place: "config.json", name: "m", config });
}

function near(actual: number | undefined, expected: number, share: number): void {
  assert.ok(actual !== undefined && Math.abs(actual / expected - 1) <= share, String(actual));
}

const nemotron = {
  model_type: "nemotron_h",
  hidden_size: 4096,
  num_attention_heads: 32,
  num_key_value_heads: 2,
  head_dim: 128,
  intermediate_size: 2688,
  moe_intermediate_size: 2688,
  moe_latent_size: 1024,
  moe_shared_expert_intermediate_size: 5376,
  n_routed_experts: 512,
  n_shared_experts: 1,
  num_experts_per_tok: 22,
  mamba_num_heads: 128,
  mamba_head_dim: 64,
  n_groups: 8,
  ssm_state_size: 128,
  conv_kernel: 4,
  vocab_size: 131072,
};
const pattern =
  "MEMEMEM*EMEMEMEM*EMEMEMEM*EMEMEMEMEM*EMEMEMEMEM*EMEMEMEMEM*EMEMEMEMEM*EMEMEMEM*EMEMEMEME";

const kimi = {
  model_type: "kimi_k25",
  architectures: ["KimiK25ForConditionalGeneration"],
  text_config: {
    model_type: "kimi_k2",
    hidden_size: 7168,
    intermediate_size: 18432,
    moe_intermediate_size: 2048,
    num_hidden_layers: 61,
    first_k_dense_replace: 1,
    moe_layer_freq: 1,
    n_routed_experts: 384,
    n_shared_experts: 1,
    num_experts_per_tok: 8,
    num_attention_heads: 64,
    num_key_value_heads: 64,
    q_lora_rank: 1536,
    kv_lora_rank: 512,
    qk_nope_head_dim: 128,
    qk_rope_head_dim: 64,
    v_head_dim: 128,
    vocab_size: 163840,
    tie_word_embeddings: false,
    quantization_config: {
      quant_method: "compressed-tensors",
      config_groups: { group_0: { weights: { num_bits: 4, group_size: 32 } } },
      ignore: ["lm_head", "re:.*self_attn.*", "re:.*shared_experts.*"],
    },
  },
  vision_config: {
    patch_size: 14,
    init_pos_emb_height: 64,
    init_pos_emb_width: 64,
    merge_kernel_size: [2, 2],
    vt_hidden_size: 1152,
    vt_intermediate_size: 4304,
    vt_num_hidden_layers: 27,
  },
};

const k3 = {
  model_type: "kimi_linear",
  hidden_size: 7168,
  intermediate_size: 33792,
  moe_intermediate_size: 3072,
  routed_expert_hidden_size: 3584,
  num_hidden_layers: 93,
  num_attention_heads: 96,
  num_key_value_heads: 96,
  num_experts: 896,
  n_routed_experts: null,
  n_shared_experts: null,
  num_shared_experts: 2,
  num_experts_per_tok: 16,
  mla_use_output_gate: true,
  attn_res_block_size: 12,
  linear_attn_config: {
    num_heads: 96,
    head_dim: 128,
    use_full_rank_gate: true,
    full_attn_layers: [...Array.from({ length: 23 }, (_, i) => 4 * (i + 1)), 93],
  },
  quantization_config: {
    quant_method: "compressed-tensors",
    format: "mxfp4-pack-quantized",
    config_groups: { group_0: { weights: { num_bits: 4, group_size: 32 } } },
    ignore: ["re:.*self_attn.*", "re:.*shared_experts.*"],
  },
};

const kimiLinear = {
  model_type: "kimi_linear",
  hidden_size: 2304,
  intermediate_size: 9216,
  moe_intermediate_size: 1024,
  num_hidden_layers: 27,
  num_attention_heads: 32,
  num_key_value_heads: 32,
  q_lora_rank: null,
  n_routed_experts: 256,
  linear_num_heads: 32,
  linear_head_dim: 128,
  layer_types: Array.from({ length: 27 }, (_, i) =>
    i % 4 === 3 || i === 26 ? "full_attention" : "linear_attention",
  ),
  quantization_config: null,
};

function deepseekV4(layers: number, first: readonly number[]) {
  const rest = Array.from({ length: layers - first.length }, (_, i) => (i % 2 === 0 ? 4 : 128));
  return {
    model_type: "deepseek_v4",
    expert_dtype: "fp4",
    quantization_config: { quant_method: "fp8", weight_block_size: [128, 128] },
    num_hidden_layers: layers,
    // One more, for the layer of token prediction.
    compress_ratios: [...first, ...rest, 0],
    sliding_window: 128,
    head_dim: 512,
    num_key_value_heads: 1,
    qk_rope_head_dim: 64,
    o_lora_rank: 1024,
    index_n_heads: 64,
    index_head_dim: 128,
    hc_mult: 4,
    n_shared_experts: 1,
    num_experts_per_tok: 6,
    vocab_size: 129280,
    tie_word_embeddings: false,
  };
}
const flash = {
  ...deepseekV4(43, [0, 0]),
  hidden_size: 4096,
  num_attention_heads: 64,
  q_lora_rank: 1024,
  o_groups: 8,
  n_routed_experts: 256,
  moe_intermediate_size: 2048,
};
const pro = {
  ...deepseekV4(61, [128, 128]),
  hidden_size: 7168,
  num_attention_heads: 128,
  q_lora_rank: 1536,
  o_groups: 16,
  n_routed_experts: 384,
  moe_intermediate_size: 3072,
};

describe("what a configuration of 2026 gives", () => {
  it("counts Nemotron 3, whose layers are a mixer or experts alone", () => {
    // 120.6B, 12.7B of them active (https://workingagents.ai/blog/2026-03-20-14-00-nemotron-super-120b.md).
    const model = drawn({ ...nemotron, num_hidden_layers: 88, hybrid_override_pattern: pattern });
    near(model.parameters, 120.6e9, 0.001);
    near(model.activeParameters, 12.7e9, 0.01);
    assert.deepEqual([model.kvGlobalLayers, model.experts?.layers], [8, 40]);
    const words = { M: "mamba", "*": "attention", E: "moe" } as const;
    const layers_block_type = pattern
      .split("")
      .map((letter) => words[letter as keyof typeof words]);
    assert.deepEqual(drawn({ ...nemotron, layers_block_type }), model);
  });

  it("gives Kimi K2.6 the size of its files, attention and shared experts in 16 bit", () => {
    // KAITO's table of presets has 554.32 GiB.
    near(drawn(kimi).weightsGiB, 554.32, 0.001);
  });

  it("counts Kimi K3 and Kimi Linear, most of whose layers keep a state", () => {
    const kimiK3 = drawn({ text_config: { ...kimi.text_config, ...k3 } });
    // "2.8T total, 104B active", and an index of about 1.561 TB in 4 bit.
    near(kimiK3.parameters, 2.78e12, 0.001);
    near(kimiK3.activeParameters, 104e9, 0.015);
    near((kimiK3.weightsGiB ?? 0) * 1024 ** 3, 1.561e12, 0.001);
    assert.deepEqual([kimiK3.kvGlobalLayers, kimiK3.kvBytesPerToken], [24, 24 * 2 * 576]);
    // 49.1B in the headers of its files (https://huggingface.co/moonshotai/Kimi-Linear-48B-A3B-Instruct).
    const linear = drawn({ ...kimi.text_config, ...kimiLinear });
    near(linear.parameters, 49.13e9, 0.001);
    const { linear_num_heads, linear_head_dim, ...rest } = kimiLinear;
    const numbered = {
      num_heads: linear_num_heads,
      head_dim: linear_head_dim,
      full_attn_layers: [4, 8, 12, 16, 20, 24, 27],
    };
    const nested = { ...rest, layer_types: null, linear_attn_config: numbered };
    assert.deepEqual(drawn({ ...kimi.text_config, ...nested }), linear);
  });

  it("takes a rotary part of none, and a head dimension of 0 for none that is named", () => {
    const flash = { qk_rope_head_dim: 0, head_dim: 0, num_hidden_layers: 2 };
    const { mla, kvBytesPerToken, headDimension } = drawn({ ...kimi.text_config, ...flash });
    assert.deepEqual([mla?.ropeDimension, kvBytesPerToken, headDimension], [0, 2 * 2 * 512, 128]);
  });

  it("counts DeepSeek V4 and its cache, four tokens or 128 to an entry", () => {
    // 284.44B, 13.90B active (https://github.com/yzlnew/infra-skills, deepseek-v4-flash.pdf).
    near(drawn(flash).parameters, 284.44e9, 0.001);
    near(drawn(flash).activeParameters, 13.9e9, 0.01);
    // "9.62 GiB of KV cache per sequence" at 1M tokens in bf16 (https://vllm.ai/blog/deepseek-v4).
    const { kvBytesPerToken = 0, kvType } = drawn(pro);
    near((kvBytesPerToken * 1_048_576) / 1024 ** 3, 9.62, 0.001);
    assert.equal(kvType, "compressed");
    assert.throws(() => drawn({ ...pro, compress_ratios: [4, 128] }), {
      problems: ["config.json: compress_ratios: names 2 layers of 61"],
    });
  });

  it("takes fewer bits for NVFP4, and 8 for what NVIDIA's tools mix", () => {
    const llama = {
      model_type: "llama",
      num_hidden_layers: 32,
      hidden_size: 4096,
      num_attention_heads: 32,
      intermediate_size: 11008,
      vocab_size: 32000,
    };
    const quantised = (quant_algo: string) =>
      drawn({ ...llama, quantization_config: { quant_method: "modelopt", quant_algo } });
    assert.equal(quantised("NVFP4").nativePrecision, "nvfp4");
    assert.equal(quantised("NVFP4").quantisation?.bitsPerWeight, 4.5);
    assert.equal(quantised("MIXED_PRECISION").nativePrecision, "fp8");
  });

  it("counts a kind of attention that nobody knows as one that caches every token", () => {
    const base = { ...kimi.text_config, quantization_config: null, num_hidden_layers: 2 };
    const layer_types = ["deepseek_sparse_attention", "brand_new_attention"];
    const { kvType, kvBytesPerToken } = drawn({ ...base, layer_types });
    assert.deepEqual([kvType, kvBytesPerToken], ["mla", 2 * 2 * 576]);
    const windowed = { ...base, model_type: "brand_new", kv_lora_rank: null, sliding_window: 128 };
    assert.ok((drawn(windowed).kvBytesPerToken ?? 0) > 0);
  });

  it("has no shared expert where its width is 0", () => {
    const experts = { num_experts: 8, num_experts_per_tok: 2, shared_expert_intermediate_size: 0 };
    const { experts: drawnExperts } = drawn({
      ...kimi.text_config,
      quantization_config: null,
      model_type: "qwen3_moe",
      n_shared_experts: null,
      n_routed_experts: null,
      ...experts,
    });
    assert.equal(drawnExperts?.sharedIntermediateSize, undefined);
  });
});
