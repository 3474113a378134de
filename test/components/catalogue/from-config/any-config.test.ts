import assert from "node:assert/strict";
import fc from "fast-check";
import { modelFromFiles } from "../../../../components/catalogue/from-config/model-from-files.ts";
import { UserError } from "../../../../components/user-error.ts";

const llama = {
  model_type: "llama",
  num_hidden_layers: 32,
  hidden_size: 4096,
  num_attention_heads: 32,
  intermediate_size: 11008,
  vocab_size: 32000,
};

function drawn(config: unknown) {
  return modelFromFiles({ kind: "transformers", place: "config.json", name: "m", config });
}

describe("modelFromFiles", () => {
  it("answers any JSON with a model or a UserError", () => {
    const field = fc.constantFrom(
      ...Object.keys(llama),
      "head_dim",
      "layer_types",
      "sliding_window",
      "quantization_config",
      "text_config",
      "vision_config",
      "num_experts",
      "kv_lora_rank",
      "architectures",
      "dtype",
    );
    const changes = fc.dictionary(field, fc.jsonValue(), { maxKeys: 6 });
    fc.assert(
      fc.property(changes, (change) => {
        try {
          const { parameters = 0, weightsGiB = 0 } = drawn({ ...llama, ...change });
          return Number.isSafeInteger(parameters) && parameters > 0 && weightsGiB > 0;
        } catch (error) {
          return error instanceof UserError && error.problems.length > 0;
        }
      }),
      { numRuns: 400 },
    );
  });

  it("takes an unknown architecture for a Llama of its shape, and says so", () => {
    const model = drawn({
      ...llama,
      model_type: "brand_new",
      architectures: ["BrandNewForCausalLM"],
    });
    assert.equal(model.parameters, drawn(llama).parameters);
    assert.equal(model.confidence, "low");
    assert.equal(model.parametersBasis, "estimate-from-config");
    assert.match(model.notes ?? "", /BrandNewForCausalLM is not known/);
  });

  it("reads wider heads of the full layers, and layers that use the cache of others", () => {
    const layer_types = Array.from({ length: 12 }, (_, index) =>
      index % 6 === 5 ? "full_attention" : "sliding_attention",
    );
    const gemma = {
      ...llama,
      model_type: "gemma4_text",
      num_hidden_layers: 12,
      num_attention_heads: 16,
      num_key_value_heads: 8,
      head_dim: 256,
      global_head_dim: 512,
      num_global_key_value_heads: 2,
      layer_types,
      sliding_window: 1024,
    };
    const all = drawn(gemma);
    assert.equal(all.kvBytesPerToken, 2 * 2 * 2 * 512 * 2);
    assert.equal(all.kvLocalBytesPerToken, 10 * 2 * 8 * 256 * 2);
    assert.deepEqual([all.kvGlobalHeads, all.kvGlobalHeadDimension], [2, 512]);
    const { kvGlobalLayers, kvLocalLayers, kvBytesPerToken } = drawn({
      ...gemma,
      num_global_key_value_heads: null,
      num_kv_shared_layers: 3,
    });
    assert.deepEqual([kvGlobalLayers, kvLocalLayers], [1, 8]);
    assert.equal(kvBytesPerToken, 2 * 8 * 512 * 2);
  });

  it("does not take the names of an object's own members for architectures", () => {
    for (const modelType of ["constructor", "__proto__", "toString"]) {
      assert.equal(drawn({ ...llama, model_type: modelType }).confidence, "low");
    }
  });

  it("gives an encoder and a decoder their parameters", () => {
    // t5-small has 60,506,624 (https://huggingface.co/google-t5/t5-small).
    const t5 = drawn({
      model_type: "t5",
      d_model: 512,
      d_kv: 64,
      d_ff: 2048,
      num_layers: 6,
      num_heads: 8,
      vocab_size: 32128,
      is_encoder_decoder: true,
    });
    assert.equal(t5.parameters, 60_506_624);
    assert.equal(t5.encoderLayers, 6);
    assert.equal(t5.crossAttentionLayers, 6);
  });

  it("keeps a window, experts and a latent cache apart", () => {
    const windowed = drawn({ ...llama, model_type: "mistral", sliding_window: 4096 });
    assert.equal(windowed.kvType, "mha-swa");
    assert.equal(windowed.kvBytesPerToken, 0);
    const off = drawn({
      ...llama,
      model_type: "qwen2",
      sliding_window: 4096,
      use_sliding_window: false,
    });
    assert.equal(off.kvType, "mha");
    const hybrid = drawn({
      ...llama,
      model_type: "mamba2",
      state_size: 128,
      num_heads: 128,
      head_dim: 64,
    });
    assert.equal(hybrid.kvType, "none");
    assert.ok((hybrid.stateBytesPerSequence ?? 0) > 0);
  });
});
