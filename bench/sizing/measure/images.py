"""Making images with diffusers, as provider/engines/python-server/image_model.py does, in two steps of the denoiser."""

import time

import torch

from image_shapes import MODELS, pipeline

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def embeddings(model_id: str, dtype: torch.dtype, device: str) -> dict:
    """What the text encoders would make of one prompt, by the pipeline."""
    kind = MODELS[model_id][0]

    def random(*shape):
        return torch.randn(*shape, dtype=dtype, device=device)

    if kind == "FluxPipeline":
        return {"prompt_embeds": random(1, 512, 4096), "pooled_prompt_embeds": random(1, 768)}
    width = {"stable-diffusion-1.5": 768, "stable-diffusion-2.1": 1024, "stable-diffusion-xl-base-1.0": 2048}
    tokens = 333 if kind == "StableDiffusion3Pipeline" else 77
    names = ["prompt_embeds", "negative_prompt_embeds"]
    given = {name: random(1, tokens, width.get(model_id, 4096)) for name in names}
    if kind != "StableDiffusionPipeline":
        pooled = 1280 if kind == "StableDiffusionXLPipeline" else 2048
        given.update({name.replace("prompt", "pooled_prompt"): random(1, pooled) for name in names})
        given["negative_pooled_prompt_embeds"] = given.pop("negative_pooled_prompt_embeds")
    return given


def make_images(pipe, case: dict, device: str, tiny: bool) -> dict:
    serving = case["serving"]
    size = {"width": 64, "height": 64} if tiny else serving["imageSize"]
    saving = serving.get("vaeSaving", "none")
    pipe.vae.use_slicing = saving == "slicing"
    pipe.vae.use_tiling = saving == "tiling"
    began = time.monotonic()
    with torch.inference_mode():
        pipe(
            **embeddings(case["model"], DTYPES[serving["precision"]], device),
            **size,
            num_images_per_prompt=serving["concurrency"],
            num_inference_steps=2,
        )
    return {"twoStepsSeconds": round(time.monotonic() - began, 3)}


def run(cases: list[dict], gauge, device: str, tiny: bool):
    pipe, loaded = None, None
    for case in cases:
        wanted = (case["model"], case["serving"]["precision"])
        if wanted != loaded:
            pipe, loaded = None, wanted
            pipe = gauge.loaded(case, lambda: pipeline(wanted[0], DTYPES[wanted[1]], device, tiny))
        if pipe is not None:
            gauge.measure(case, lambda: make_images(pipe, case, device, tiny))
