"""What a training of a denoiser keeps, counted without a GPU: fake tensors go the whole way of train_images.py, in its own shapes.

    python3 count_images.py stable-diffusion-3.5-large 1024 1 lora again      one JSON line; MiB

A tensor that has a shape and no memory takes no time either. What is counted is what a pass keeps for the way back, and the most
that was alive until then, both beyond the weights and adapters that were there before. Neither the way back, nor the
allocator's holes, nor a kernel's workspace.
"""

import json
import sys

import torch
import torch.nn.functional as F
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import weakref

import train_images
from gauge import MIB

FLASH = torch.ops.aten._scaled_dot_product_flash_attention.default
DEVICE = "cuda"


class Alive(TorchDispatchMode):
    """Bytes of the storages that are alive, and the most that there were."""

    def __init__(self, *modules):
        super().__init__()
        self.known, self.bytes, self.most = set(), 0, 0
        for module in modules:
            for each in (*module.parameters(), *module.buffers()):
                self.see(each)
        self.held = self.bytes

    def see(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self.known:
            return
        size = storage.nbytes()
        self.known.add(key)
        self.bytes += size
        self.most = max(self.most, self.bytes)
        weakref.finalize(storage, self.gone, key, size)

    def gone(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.bytes -= size

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for each in tree_leaves(result):
            if isinstance(each, torch.Tensor):
                self.see(each)
        return result


def flash_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, **_):
    """The kernel that a GPU from Ampere on takes, said by name: there is no GPU here to choose one."""
    assert attn_mask is None
    return FLASH(query, key, value, dropout_p, is_causal, scale=scale)[0]


def without_gpu() -> None:
    F.scaled_dot_product_attention = flash_attention
    torch.nn.functional.scaled_dot_product_attention = flash_attention
    torch.cuda.amp.common.amp_definitely_not_available = lambda: False
    torch.cuda.is_bf16_supported = lambda *_, **__: True
    # The modules are made where and as they stay, and a fake parameter cannot be put in another's place.
    torch.nn.Module.to = lambda module, *_, **__: module


def one_step(case: dict) -> dict:
    network = train_images.trained_network(case, DEVICE, tiny=False)
    batch = train_images.Batch(case, DEVICE, tiny=False)
    alive = Alive(network, batch.vae, *batch.encoders)
    with alive:
        latents = batch.latents()
        batch.encode()
        noisy = latents + torch.randn_like(latents)
        operations = FlopCounterMode(display=False)
        with operations, torch.autocast(DEVICE, dtype=torch.bfloat16):
            loss = batch.predict(network, noisy).float().pow(2).mean()
        kept = alive.bytes - alive.held
    trained = sum(each.numel() for each in network.parameters() if each.requires_grad)
    return {
        "trainedParameters": trained,
        "heldMiB": round(alive.held / MIB, 1),
        "keptMiB": round(kept / MIB, 1),
        "mostMiB": round((alive.most - alive.held) / MIB, 1),
        "teraOperationsPerImage": round(operations.get_total_flops() / batch.count / 1e12, 3),
        "loss": list(loss.shape),
    }


def main(model: str, side: str, batch: str, method: str, kept: str) -> None:
    case = {
        "model": model,
        "imageTraining": {
            "method": method,
            "loraRank": 16,
            "microBatch": int(batch),
            "imageSize": {"width": int(side), "height": int(side)},
            "gradientCheckpointing": kept == "again",
        },
    }
    without_gpu()
    with FakeTensorMode(), torch.device(DEVICE):
        counted = one_step(case)
    print(json.dumps({**case, **counted}))


if __name__ == "__main__":
    main(*sys.argv[1:])
