"""Training the denoiser of an image model: whole, or adapters of its attention, for two steps.

The VAE and the CLIP text encoders stay on the GPU in bf16 and work in each step; what T5 makes of the captions is taken as
made before. That is how the training examples of diffusers go about it.
"""

import time

import diffusers
import torch
from diffusers.training_utils import cast_training_params
from peft import LoraConfig

from image_shapes import MODELS, denoiser, text_encoders, vae

STEPS = 2


def optimizer_of(name: str, parameters: list):
    if name == "adamw-8bit":
        import bitsandbytes

        return bitsandbytes.optim.AdamW8bit(parameters, lr=1e-5)
    return torch.optim.AdamW(parameters, lr=1e-5, fused=parameters[0].is_cuda)


def trained_network(case: dict, device: str, tiny: bool):
    training = case["imageTraining"]
    full = training["method"] == "full"
    network = denoiser(case["model"], torch.float32 if full else torch.bfloat16, device, tiny)
    if full:
        network.requires_grad_(True)
    else:
        rank = training["loraRank"]
        targets = ["to_k", "to_q", "to_v", "to_out.0"]
        network.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=targets))
        cast_training_params(network, dtype=torch.float32)
    if training["gradientCheckpointing"]:
        network.enable_gradient_checkpointing()
    return network.train()


class Batch:
    """One batch: images through the VAE, captions through the CLIP encoders, and what the denoiser is asked."""

    def __init__(self, case: dict, device: str, tiny: bool):
        training = case["imageTraining"]
        self.kind = MODELS[case["model"]][0]
        self.width = MODELS[case["model"]][1][1].get("cross_attention_dim", 4096)
        self.count, self.device = training["microBatch"], device
        self.side = 64 if tiny else training["imageSize"]["width"]
        self.vae = vae(case["model"], torch.bfloat16, device, tiny)
        self.encoders = text_encoders(case["model"], torch.bfloat16, device, tiny, t5=False)
        self.guided = case["model"] == "flux.1-dev"

    def random(self, *shape):
        return torch.randn(self.count, *shape, dtype=torch.bfloat16, device=self.device)

    @torch.no_grad()
    def latents(self):
        return self.vae.encode(self.random(3, self.side, self.side)).latent_dist.sample() * 0.18

    @torch.no_grad()
    def encode(self):
        ids = torch.randint(0, 1000, (self.count, 77), device=self.device)
        for encoder in self.encoders:
            encoder(ids, output_hidden_states=True)

    def predict(self, network, noisy):
        times = torch.randint(0, 1000, (self.count,), device=self.device)
        if self.kind == "FluxPipeline":
            pack = diffusers.FluxPipeline._pack_latents
            height, width = noisy.shape[2:]
            ids = diffusers.FluxPipeline._prepare_latent_image_ids(
                self.count, height // 2, width // 2, self.device, torch.bfloat16
            )
            return network(
                hidden_states=pack(noisy, self.count, noisy.shape[1], height, width),
                timestep=times / 1000,
                guidance=torch.ones(self.count, device=self.device) if self.guided else None,
                pooled_projections=self.random(768),
                encoder_hidden_states=self.random(512, 4096),
                txt_ids=torch.zeros(512, 3, device=self.device),
                img_ids=ids,
            ).sample
        if self.kind == "StableDiffusion3Pipeline":
            given = {"encoder_hidden_states": self.random(333, 4096), "pooled_projections": self.random(2048)}
            return network(hidden_states=noisy, timestep=times, **given).sample
        added = {}
        if self.kind == "StableDiffusionXLPipeline":
            sizes = torch.ones(self.count, 6, device=self.device)
            added = {"added_cond_kwargs": {"text_embeds": self.random(1280), "time_ids": sizes}}
        return network(noisy, times, self.random(77, self.width), **added).sample


def step(network, batch: Batch, optimizer, device: str) -> float:
    latents = batch.latents()
    batch.encode()
    noisy = latents + torch.randn_like(latents)
    with torch.autocast(device, dtype=torch.bfloat16):
        loss = batch.predict(network, noisy).float().pow(2).mean()
    loss.backward()
    parameters = [each for each in network.parameters() if each.requires_grad]
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def train_once(case: dict, device: str, tiny: bool) -> dict:
    network = trained_network(case, device, tiny)
    parameters = [each for each in network.parameters() if each.requires_grad]
    optimizer = optimizer_of(case["imageTraining"]["optimizer"], parameters)
    batch = Batch(case, device, tiny)
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    for _ in range(STEPS):
        began = time.monotonic()
        loss = step(network, batch, optimizer, device)
        seconds = time.monotonic() - began
    trained = sum(each.numel() for each in parameters)
    return {"trainedParameters": trained, "stepSeconds": round(seconds, 3), "loss": loss}


def run(cases: list[dict], gauge, device: str, tiny: bool):
    for case in cases:
        gauge.measure(case, lambda: train_once(case, device, tiny))
