import assert from "node:assert/strict";
import { modelFromFiles } from "../../../../components/catalogue/from-config/model-from-files.ts";
import { loadCatalogue } from "../../../../components/catalogue/load.ts";
import { UserError } from "../../../../components/user-error.ts";

const { models } = loadCatalogue();

const clipL = {
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  vocab_size: 49408,
  projection_dim: 768,
};
const bigG = {
  ...clipL,
  hidden_size: 1280,
  intermediate_size: 5120,
  num_hidden_layers: 32,
  projection_dim: 1280,
};
const openClipH = { ...clipL, hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 23 };
const t5Xxl = {
  model_type: "t5",
  d_model: 4096,
  d_ff: 10240,
  num_heads: 64,
  d_kv: 64,
  num_layers: 24,
  vocab_size: 32128,
  feed_forward_proj: "gated-gelu",
};
const vae = { block_out_channels: [128, 256, 512, 512], layers_per_block: 2, latent_channels: 4 };
const vae16 = { ...vae, latent_channels: 16, use_quant_conv: false, use_post_quant_conv: false };
const unet15 = {
  block_out_channels: [320, 640, 1280, 1280],
  layers_per_block: 2,
  cross_attention_dim: 768,
  down_block_types: [
    "CrossAttnDownBlock2D",
    "CrossAttnDownBlock2D",
    "CrossAttnDownBlock2D",
    "DownBlock2D",
  ],
  sample_size: 64,
};
const unetXl = {
  block_out_channels: [320, 640, 1280],
  layers_per_block: 2,
  cross_attention_dim: 2048,
  down_block_types: ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
  transformer_layers_per_block: [1, 2, 10],
  projection_class_embeddings_input_dim: 2816,
  sample_size: 128,
};
const sd3 = (layers: number, heads: number, more: object = {}) => ({
  num_layers: layers,
  num_attention_heads: heads,
  attention_head_dim: 64,
  in_channels: 16,
  out_channels: 16,
  patch_size: 2,
  joint_attention_dim: 4096,
  pooled_projection_dim: 2048,
  ...more,
});
const flux = (guidance: boolean) => ({
  num_layers: 19,
  num_single_layers: 38,
  num_attention_heads: 24,
  attention_head_dim: 128,
  in_channels: 64,
  joint_attention_dim: 4096,
  pooled_projection_dim: 768,
  guidance_embeds: guidance,
});

type Parts = Readonly<Record<string, readonly [className: string, config: object]>>;

const sd3Parts = (transformer: object): Parts => ({
  transformer: ["SD3Transformer2DModel", transformer],
  text_encoder: ["CLIPTextModelWithProjection", clipL],
  text_encoder_2: ["CLIPTextModelWithProjection", bigG],
  text_encoder_3: ["T5EncoderModel", t5Xxl],
  vae: ["AutoencoderKL", vae16],
});
const fluxParts = (guidance: boolean): Parts => ({
  transformer: ["FluxTransformer2DModel", flux(guidance)],
  text_encoder: ["CLIPTextModel", clipL],
  text_encoder_2: ["T5EncoderModel", t5Xxl],
  vae: ["AutoencoderKL", vae16],
});

const pipelines: Readonly<Record<string, Parts>> = {
  "stable-diffusion-1.5": {
    unet: ["UNet2DConditionModel", unet15],
    text_encoder: ["CLIPTextModel", clipL],
    vae: ["AutoencoderKL", vae],
  },
  "stable-diffusion-2.1": {
    unet: ["UNet2DConditionModel", { ...unet15, cross_attention_dim: 1024, sample_size: 96 }],
    text_encoder: ["CLIPTextModel", openClipH],
    vae: ["AutoencoderKL", vae],
  },
  "stable-diffusion-xl-base-1.0": {
    unet: ["UNet2DConditionModel", unetXl],
    text_encoder: ["CLIPTextModel", clipL],
    text_encoder_2: ["CLIPTextModelWithProjection", bigG],
    vae: ["AutoencoderKL", vae],
  },
  "stable-diffusion-3-medium": sd3Parts(sd3(24, 24)),
  "stable-diffusion-3.5-large": sd3Parts(sd3(38, 38, { qk_norm: "rms_norm" })),
  "stable-diffusion-3.5-medium": sd3Parts(
    sd3(24, 24, {
      qk_norm: "rms_norm",
      dual_attention_layers: Array.from({ length: 13 }, (_, i) => i),
    }),
  ),
  "flux.1-dev": fluxParts(true),
  "flux.1-schnell": fluxParts(false),
};

function drawn(name: string, parts: Parts) {
  const modelIndex = {
    _class_name: "SomePipeline",
    scheduler: ["diffusers", "EulerDiscreteScheduler"],
    safety_checker: [null, null],
    requires_safety_checker: false,
    ...Object.fromEntries(
      Object.entries(parts).map(([part, [className]]) => [part, ["x", className]]),
    ),
  };
  const read = Object.fromEntries(
    Object.entries(parts).map(([part, [, config]]) => [part, { config }]),
  );
  return modelFromFiles({ kind: "diffusers", place: name, name, modelIndex, parts: read });
}

describe("a diffusion pipeline by its configuration", () => {
  for (const [id, parts] of Object.entries(pipelines)) {
    it(`has in each part the parameters that the catalogue has for ${id}`, () => {
      const row = models.find((model) => model.id === id);
      const known = row?.components?.map(({ role, parameters }) => `${role} ${parameters}`);
      const made = drawn(id, parts).components?.map(
        ({ role, parameters }) => `${role} ${parameters}`,
      );
      assert.deepEqual(made?.toSorted(), known?.toSorted());
    });
  }

  it("knows the size of image that it is made for", () => {
    assert.equal(drawn("a", pipelines["stable-diffusion-2.1"]!).imagePixels, 768);
  });

  it("counts a part that it has no formula for from its headers, and says so where there are none", () => {
    assert.throws(
      () => drawn("new", { transformer: ["NewTransformer2DModel", {}] }),
      (error) =>
        error instanceof UserError &&
        error.problems.join().includes("new: transformer: a NewTransformer2DModel can only be"),
    );
    const modelIndex = { transformer: ["diffusers", "NewTransformer2DModel"] };
    const weights = { tensors: [{ name: "a.weight", dtype: "BF16", shape: [10, 20] }], bytes: 400 };
    const made = modelFromFiles({
      kind: "diffusers",
      place: "new",
      name: "new",
      modelIndex,
      parts: { transformer: { weights } },
    });
    assert.equal(made.parameters, 200);
    assert.equal(made.parametersBasis, "counted-from-safetensors");
  });
});
