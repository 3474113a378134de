"""Stands in for PyTorch: as much of it as the server uses, on lists."""

import contextlib
import os

bool = "bool"
bfloat16, float32 = "bfloat16", "float32"
inference_mode = contextlib.nullcontext


class Tensor:
    def __init__(self, values):
        self.values = values
        self.device = "cpu"

    @property
    def shape(self):
        return (1, len(self.values))


def full(shape, value, device, dtype):
    return [value] * shape[0]


class cuda:
    @staticmethod
    def is_available():
        return os.environ.get("FAKE_CUDA") == "yes"


class Generator:
    def __init__(self, device):
        self.device = device

    def manual_seed(self, seed):
        self.seed = seed
        return self
