"""How much of the GPU a piece of work takes, as PyTorch counts it and as nvidia-smi shows it."""

import gc
import json
import os
import time
from importlib.metadata import PackageNotFoundError, version

import torch

MIB = 1024**2


def used_mib() -> float | None:
    """Memory of the GPU that nvidia-smi shows for this process; None where it does not tell."""
    import pynvml

    pynvml.nvmlInit()
    handle = pynvml.nvmlDeviceGetHandleByIndex(0)
    for process in pynvml.nvmlDeviceGetComputeRunningProcesses(handle):
        if process.pid == os.getpid() and process.usedGpuMemory is not None:
            return process.usedGpuMemory / MIB
    return None


class Gauge:
    """Measures one case after another, and prints one JSON line for each."""

    def __init__(self, out):
        self.out = out
        self.on_gpu = torch.cuda.is_available()

    def clear(self):
        gc.collect()
        if self.on_gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def figures(self) -> dict:
        if not self.on_gpu:
            return {}
        torch.cuda.synchronize()
        used = used_mib()
        # What the process has beside PyTorch's allocator does not fall when memory is given back to it.
        context = None if used is None else used - torch.cuda.memory_reserved() / MIB
        return {
            "allocatedMiB": round(torch.cuda.max_memory_allocated() / MIB, 1),
            "reservedMiB": round(torch.cuda.max_memory_reserved() / MIB, 1),
            "contextMiB": None if context is None else round(context, 1),
        }

    def measure(self, case: dict, work):
        """Too little memory is an outcome; another error is told and is no outcome."""
        self.clear()
        before = self.figures()
        began = time.monotonic()
        try:
            facts = work() or {}
            result = {"outcome": "runs", "loadedMiB": before.get("allocatedMiB"), **self.figures(), **facts}
        except torch.OutOfMemoryError:
            result = {"outcome": "out-of-memory"}
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}"[:600]}
        result["seconds"] = round(time.monotonic() - began, 2)
        self.write({**case, **result})

    def loaded(self, case: dict, build):
        """What `build` makes, or None where there is no room for it, which is the outcome of the case."""
        self.clear()
        try:
            return build()
        except torch.OutOfMemoryError:
            self.write({**case, "outcome": "out-of-memory", "while": "loading"})
            return None

    def write(self, line: dict):
        self.out.write(json.dumps(line) + "\n")
        self.out.flush()


def release(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def machine() -> dict:
    """The card and the software, for the rows' note."""
    packages = ["torch", "transformers", "bitsandbytes", "peft", "trl", "accelerate", "diffusers"]
    facts = {"packages": {name: release(name) for name in packages}}
    if not torch.cuda.is_available():
        return {"gpu": None, **facts}
    import pynvml

    pynvml.nvmlInit()
    properties = torch.cuda.get_device_properties(0)
    return {
        "gpu": properties.name,
        "totalMiB": round(properties.total_memory / MIB),
        "driver": pynvml.nvmlSystemGetDriverVersion(),
        "cuda": torch.version.cuda,
        **facts,
    }
