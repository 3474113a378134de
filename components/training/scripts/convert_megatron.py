"""Brings weights from Hugging Face's form to Megatron-LM's and back, on one host, in its memory and without a GPU.

    python convert_megatron.py import     the base model to output/base, which the training begins with
    python convert_megatron.py export     the newest checkpoint to output/model, or adapters to output/adapter, as every library reads
"""

import os
import sys
from pathlib import Path

import yaml
from megatron.bridge import AutoBridge

BASE = "output/base"
MODEL = "output/model"
ADAPTER = "output/adapter"


def main() -> None:
    words = sys.argv[1:]
    if words not in (["import"], ["export"]):
        sys.exit(__doc__)
    settings = yaml.safe_load(Path("megatron.yaml").read_text(encoding="utf-8"))
    base = os.environ.get("BASE_MODEL", settings["base_model"])
    if words == ["import"]:
        AutoBridge.import_ckpt(base, BASE)
        return
    checkpoints = sorted(Path(settings["checkpoint"]["save"]).glob("iter_*"))
    if not checkpoints:
        sys.exit("There is no checkpoint below output/checkpoints yet.")
    bridge = AutoBridge.from_hf_pretrained(base)
    if "peft" in settings:
        bridge.export_adapter_ckpt(str(checkpoints[-1]), ADAPTER)
    else:
        bridge.export_ckpt(str(checkpoints[-1]), MODEL)


if __name__ == "__main__":
    main()
