"""Puts a trained adapter into its base model, as one model that any server loads.

python merge.py            reads output/adapter, writes output/model
"""

import argparse
import json
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--adapter", default="output/adapter")
    parser.add_argument("--out", default="output/model")
    parser.add_argument("--base", help="where the base model is; default: where the adapter was trained from")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    args = parser.parse_args()
    settings = json.loads(Path(args.adapter, "adapter_config.json").read_text())
    base = args.base or settings["base_model_name_or_path"]
    # Not quantised, even where it was trained so: a merge into four bits would lose what was learnt.
    model = AutoModelForCausalLM.from_pretrained(base, dtype=getattr(torch, args.dtype))
    merged = PeftModel.from_pretrained(model, args.adapter).merge_and_unload()
    merged.save_pretrained(args.out, safe_serialization=True)
    AutoTokenizer.from_pretrained(args.adapter).save_pretrained(args.out)
    print(f"{args.out} is {base} with {args.adapter} in it")


if __name__ == "__main__":
    main()
