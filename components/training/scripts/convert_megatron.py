"""Brings weights from Hugging Face's form to Megatron-LM's and back, on one host, in its memory and without a GPU.

    python convert_megatron.py import     the base model to output/base, which the training begins with
    python convert_megatron.py export     the newest checkpoint to output/model, or adapters to output/adapter, as every library reads; a
                                          training that is through is finished by it
"""

import json
import os
import shutil
import sys
from pathlib import Path

import yaml
from megatron.bridge import AutoBridge
from transformers import AutoTokenizer

from card import write_card

OUTPUT = Path("output")


def whole(name: str, make) -> Path:
    """A folder that has its name only when all of it is there."""
    incoming, target = OUTPUT / f"{name}.incoming", OUTPUT / name
    shutil.rmtree(incoming, ignore_errors=True)
    make(str(incoming))
    shutil.rmtree(target, ignore_errors=True)
    incoming.rename(target)
    return target


def export(base: str, checkpoint: Path, result: str) -> None:
    trained = OUTPUT / "trained.json"
    end = json.loads(trained.read_text()) if trained.exists() else None

    def make(target: str) -> None:
        bridge = AutoBridge.from_hf_pretrained(base)
        if result == "adapter":
            bridge.export_adapter_ckpt(str(checkpoint), target)
            AutoTokenizer.from_pretrained(base).save_pretrained(target)
        else:
            bridge.export_ckpt(str(checkpoint), target)
        if end is not None:
            write_card(Path(target), Path("."), end, base, None)

    whole(result, make)
    if end is not None:
        (OUTPUT / "finished.json").write_text(json.dumps({**end, "result": result}, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    words = sys.argv[1:]
    if words not in (["import"], ["export"]):
        sys.exit(__doc__)
    settings = yaml.safe_load(Path("megatron.yaml").read_text(encoding="utf-8"))
    base = os.environ.get("BASE_MODEL", settings["base_model"])
    if words == ["import"]:
        whole("base", lambda target: AutoBridge.import_ckpt(base, target))
        return
    checkpoints = sorted(path.parent for path in Path(settings["checkpoint"]["save"]).glob("iter_*/whole"))
    if not checkpoints:
        sys.exit("There is no whole checkpoint below output/checkpoints yet.")
    export(base, checkpoints[-1], "adapter" if "peft" in settings else "model")


if __name__ == "__main__":
    main()
