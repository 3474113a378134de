"""Puts a trained adapter into its base model, as one model that any server loads. It takes the base model's size in memory and
on the disk, and no GPU.

    python merge.py            reads output/adapter, writes output/model
"""

import argparse
import json
import re
import shutil
import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from card import sha256_of, write_card

# One layer is held twice while its adapter is added, and Python with PyTorch takes a GB.
MEMORY_SHARE, MEMORY_BYTES = 1.1, 1 << 30


def weights_bytes(base: str) -> int:
    """Of the files that are read: safetensors where there are any. Mistral's repositories have all of it once more, as consolidated."""
    folder = Path(base)
    if folder.is_dir():
        sizes = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    else:
        from huggingface_hub import HfApi

        files = HfApi().model_info(base, files_metadata=True).siblings or []
        sizes = {file.rfilename: file.size or 0 for file in files}
    # As transformers names them.
    for pattern in (r"model(-\d+-of-\d+)?\.safetensors", r"pytorch_model(-\d+-of-\d+)?\.bin"):
        if found := sum(size for name, size in sizes.items() if re.fullmatch(pattern, name)):
            return found
    sys.exit(f"{base} has no weights")


def free_memory() -> int | None:
    """Bytes that may be taken; None where the system does not say."""
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    except OSError:
        return None
    free = int(lines["MemAvailable"].split()[0]) * 1024
    group = Path("/sys/fs/cgroup")
    try:
        most = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
    except OSError:
        return free
    return free if most == "max" else min(free, int(most) - used)


def check_room(base: str, target: Path) -> None:
    weights = weights_bytes(base)
    needed, free = int(weights * MEMORY_SHARE) + MEMORY_BYTES, free_memory()
    disk = shutil.disk_usage(target).free
    lacks = []
    if free is not None and free < needed:
        lacks.append(f"{needed / 1e9:.1f} GB of memory, of which {free / 1e9:.1f} GB are free")
    if disk < weights:
        lacks.append(f"{weights / 1e9:.1f} GB of disk, of which {disk / 1e9:.1f} GB are free")
    if lacks:
        sys.exit(f"{base} with its adapter takes {' and '.join(lacks)}. Merge it on a machine that has more.")


def is_merged(adapter: Path, target: Path) -> bool:
    made = target / "provenance.json"
    sha256 = sha256_of(adapter / "adapter_model.safetensors")
    return made.exists() and json.loads(made.read_text()).get("adapterSha256") == sha256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", help="where the base model is; default: where the adapter was trained from")
    # The base model's own by default: another one would round its weights, or double them.
    parser.add_argument("--dtype", default="auto", choices=["auto", "bfloat16", "float16", "float32"])
    args = parser.parse_args()
    adapter, target = Path("output/adapter"), Path("output/model")
    if not Path("output/finished.json").exists() or not (adapter / "adapter_config.json").exists():
        sys.exit("There is no output/adapter: the training is not finished, or its result was not fetched.")
    if args.dtype == "auto" and is_merged(adapter, target):
        print(f"{target} has this adapter in it already")
        return
    base = args.base or json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"]
    check_room(base, adapter)
    dtype = args.dtype if args.dtype == "auto" else getattr(torch, args.dtype)
    # Not quantised, even where it was trained so: a merge into four bits would lose what was learnt.
    model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    revision = getattr(model.config, "_commit_hash", None)
    merged = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    incoming = Path("output/model.incoming")
    shutil.rmtree(incoming, ignore_errors=True)
    merged.save_pretrained(incoming)
    AutoTokenizer.from_pretrained(adapter).save_pretrained(incoming)
    end = json.loads(Path("output/finished.json").read_text())
    write_card(incoming, Path("."), end, base, revision)
    shutil.rmtree(target, ignore_errors=True)
    incoming.rename(target)
    print(f"{target} is {base} with {adapter} in it")


if __name__ == "__main__":
    main()
