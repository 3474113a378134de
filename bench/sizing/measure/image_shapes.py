"""Image pipelines of the true shape with random weights, component by component."""

import diffusers
import torch
import transformers

CLIP_L_TEXT = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "projection_dim": 768,
}
CLIP_L = ("CLIPTextModel", "CLIPTextConfig", CLIP_L_TEXT)
CLIP_L_PROJECTED = ("CLIPTextModelWithProjection", "CLIPTextConfig", CLIP_L_TEXT)
CLIP_H = (
    "CLIPTextModel",
    "CLIPTextConfig",
    {"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16, "num_hidden_layers": 23},
)
CLIP_G = (
    "CLIPTextModelWithProjection",
    "CLIPTextConfig",
    {
        "hidden_size": 1280,
        "intermediate_size": 5120,
        "num_attention_heads": 20,
        "num_hidden_layers": 32,
        "projection_dim": 1280,
    },
)
T5_XXL = (
    "T5EncoderModel",
    "T5Config",
    {
        "d_model": 4096,
        "d_ff": 10240,
        "d_kv": 64,
        "num_heads": 64,
        "num_layers": 24,
        "vocab_size": 32128,
        "feed_forward_proj": "gated-gelu",
    },
)

VAE = {
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "block_out_channels": [128, 256, 512, 512],
    "layers_per_block": 2,
    "latent_channels": 4,
}
WIDE_VAE = {**VAE, "latent_channels": 16, "shift_factor": 0.1, "use_quant_conv": False, "use_post_quant_conv": False}

SDXL_UNET = {
    "sample_size": 128,
    "block_out_channels": [320, 640, 1280],
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "transformer_layers_per_block": [1, 2, 10],
    "attention_head_dim": [5, 10, 20],
    "cross_attention_dim": 2048,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
    "use_linear_projection": True,
}
SD2_UNET = {
    "sample_size": 96,
    "cross_attention_dim": 1024,
    "attention_head_dim": [5, 10, 20, 20],
    "use_linear_projection": True,
}
SD3 = {"in_channels": 16, "pos_embed_max_size": 192, "pooled_projection_dim": 2048, "joint_attention_dim": 4096}
SD3_MEDIUM = {**SD3, "num_layers": 24, "num_attention_heads": 24, "caption_projection_dim": 1536}
SD35_LARGE = {
    **SD3,
    "num_layers": 38,
    "num_attention_heads": 38,
    "caption_projection_dim": 2432,
    "qk_norm": "rms_norm",
}

SD35_MEDIUM = {
    **SD3_MEDIUM,
    "pos_embed_max_size": 384,
    "qk_norm": "rms_norm",
    "dual_attention_layers": tuple(range(13)),
}

# The pipeline, the denoiser with its configuration, the VAE, and the text encoders in the pipeline's order.
MODELS = {
    "stable-diffusion-1.5": (
        "StableDiffusionPipeline",
        ("UNet2DConditionModel", {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8}),
        VAE,
        [CLIP_L],
    ),
    "stable-diffusion-2.1": ("StableDiffusionPipeline", ("UNet2DConditionModel", SD2_UNET), VAE, [CLIP_H]),
    "stable-diffusion-xl-base-1.0": (
        "StableDiffusionXLPipeline",
        ("UNet2DConditionModel", SDXL_UNET),
        VAE,
        [CLIP_L, CLIP_G],
    ),
    "stable-diffusion-3-medium": (
        "StableDiffusion3Pipeline",
        ("SD3Transformer2DModel", SD3_MEDIUM),
        WIDE_VAE,
        [CLIP_L_PROJECTED, CLIP_G, T5_XXL],
    ),
    "stable-diffusion-3.5-large": (
        "StableDiffusion3Pipeline",
        ("SD3Transformer2DModel", SD35_LARGE),
        WIDE_VAE,
        [CLIP_L_PROJECTED, CLIP_G, T5_XXL],
    ),
    "stable-diffusion-3.5-medium": (
        "StableDiffusion3Pipeline",
        ("SD3Transformer2DModel", SD35_MEDIUM),
        WIDE_VAE,
        [CLIP_L_PROJECTED, CLIP_G, T5_XXL],
    ),
    "flux.1-dev": (
        "FluxPipeline",
        ("FluxTransformer2DModel", {"guidance_embeds": True}),
        WIDE_VAE,
        [CLIP_L, T5_XXL],
    ),
    "flux.1-schnell": ("FluxPipeline", ("FluxTransformer2DModel", {}), WIDE_VAE, [CLIP_L, T5_XXL]),
}

# So that a processor can go the whole way: the widths of what passes between the parts stay.
TINY = {
    "UNet2DConditionModel": {"layers_per_block": 1, "transformer_layers_per_block": 1, "attention_head_dim": 8},
    "SD3Transformer2DModel": {"num_layers": 2, "num_attention_heads": 2, "caption_projection_dim": 128},
    "FluxTransformer2DModel": {"num_layers": 1, "num_single_layers": 1, "num_attention_heads": 2},
    "AutoencoderKL": {"block_out_channels": [32, 32, 32, 32], "layers_per_block": 1},
    "CLIPTextConfig": {"num_hidden_layers": 1, "intermediate_size": 64, "vocab_size": 1000},
    "T5Config": {"num_layers": 1, "d_ff": 64, "vocab_size": 100, "num_heads": 2},
}


def made(build, dtype: torch.dtype, device: str):
    """A module with the weights that it is initialised with, made where it stays."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            module = build()
    finally:
        torch.set_default_dtype(before)
    return module.to(device=device, dtype=dtype).eval().requires_grad_(False)


def denoiser(model_id: str, dtype: torch.dtype, device: str, tiny: bool = False):
    name, config = MODELS[model_id][1]
    config = {**config, **(TINY[name] if tiny else {})}
    if tiny and name == "UNet2DConditionModel":
        config["block_out_channels"] = [32] * len(config.get("block_out_channels", [32] * 4))
    return made(lambda: getattr(diffusers, name)(**config), dtype, device)


def vae(model_id: str, dtype: torch.dtype, device: str, tiny: bool = False):
    config = {**MODELS[model_id][2], **(TINY["AutoencoderKL"] if tiny else {})}
    return made(lambda: diffusers.AutoencoderKL(**config), dtype, device)


def text_encoders(model_id: str, dtype: torch.dtype, device: str, tiny: bool = False, t5: bool = True) -> list:
    encoders = []
    for name, config_name, config in MODELS[model_id][3]:
        if name == "T5EncoderModel" and not t5:
            continue
        fields = {**config, **(TINY[config_name] if tiny else {})}
        settings = getattr(transformers, config_name)(**fields)
        encoders.append(made(lambda: getattr(transformers, name)(settings), dtype, device))
    return encoders


def pipeline(model_id: str, dtype: torch.dtype, device: str, tiny: bool = False):
    kind = MODELS[model_id][0]
    network = denoiser(model_id, dtype, device, tiny)
    encoders = text_encoders(model_id, dtype, device, tiny)
    parts = {"vae": vae(model_id, dtype, device, tiny)}
    for number, encoder in enumerate(encoders, start=1):
        suffix = "" if number == 1 else f"_{number}"
        parts[f"text_encoder{suffix}"] = encoder
        parts[f"tokenizer{suffix}"] = None
    if kind == "StableDiffusionPipeline":
        parts.update(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    flow = kind in ("StableDiffusion3Pipeline", "FluxPipeline")
    parts["scheduler"] = diffusers.FlowMatchEulerDiscreteScheduler() if flow else diffusers.DDIMScheduler()
    parts["transformer" if flow else "unet"] = network
    made_pipeline = getattr(diffusers, kind)(**parts)
    made_pipeline.set_progress_bar_config(disable=True)
    return made_pipeline
