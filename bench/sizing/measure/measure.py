"""Measures the cases of cases.json on the GPU of this machine: one JSON line each, the machine first.

    python3 measure.py serve-text > serve-text.jsonl
    python3 measure.py finetune --only llama-3.1-8b
    python3 measure.py images --tiny          all of the way with tiny shapes, on a machine without a GPU too

The models have their true shape and random weights, so nothing is fetched. Take a GPU that nobody else uses.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch

from gauge import Gauge, machine


def cases_of(kind: str, only: str | None, ids: Path | None) -> list[dict]:
    rows = json.loads((Path(__file__).parent / "cases.json").read_text())[kind]
    wanted = None if ids is None else set(ids.read_text().split())
    return [row for row in rows if (only is None or only in row["id"]) and (wanted is None or row["id"] in wanted)]


def module_of(kind: str):
    if kind == "serve-text":
        import serve_text as module
    elif kind == "finetune":
        import finetune as module
    elif kind == "images":
        import images as module
    else:
        import train_images as module
    return module


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=["serve-text", "finetune", "images", "train-images"])
    parser.add_argument("--only", help="cases whose id has this in it")
    parser.add_argument("--tiny", action="store_true", help="two layers and few tokens, to try the script itself")
    parser.add_argument("--ids", type=Path, help="a file with the ids to measure, one a line")
    args = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    # The libraries print on their own; the lines of the cases stay apart.
    gauge = Gauge(sys.stdout)
    sys.stdout = sys.stderr
    gauge.write({"machine": machine(), "kind": args.kind, "time": round(time.time())})
    module_of(args.kind).run(cases_of(args.kind, args.only, args.ids), gauge, device, args.tiny)


if __name__ == "__main__":
    main()
