"""What a trained model says of itself: README.md for people, provenance.json for programs, and its base's licence beside them."""

import hashlib
import json
import math
import shutil
import sys
from pathlib import Path

LICENCES = ["LICENSE*", "LICENCE*", "NOTICE*", "USE_POLICY*"]


def finite(facts: dict) -> dict:
    """JSON has neither NaN nor Infinity, which fp16 brings now and then, and a training that diverges for good: null stands for them."""
    return {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in facts.items()}


def sha256_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def provenance(target: Path, job: Path, end: dict, base: str, base_revision: str | None) -> dict:
    """Where a result of the job comes from; what is not known is left out. `end` is what finished.json says."""
    plan = json.loads((job / "job.json").read_text())
    own, merged = (folder / "adapter_model.safetensors" for folder in (target, job / "output/adapter"))
    adapter = own if own.exists() else merged
    facts = {
        "schemaVersion": 1,
        "modelId": plan["modelId"],
        "baseModel": plan["baseModel"],
        "loadedFrom": base,
        "baseRevision": base_revision,
        "licence": plan["licence"],
        "method": plan["workload"]["method"],
        "trainSamples": plan["data"]["trainSamples"],
        "dataSha256": sha256_of(job / "data/train.jsonl"),
        "adapterSha256": sha256_of(adapter) if adapter.exists() else None,
        **{name: end.get(name) for name in ("step", "trainLoss", "validationLoss")},
    }
    return {name: value for name, value in facts.items() if value is not None}


def card(facts: dict) -> str:
    loss = f"; loss {facts['trainLoss']:.4f} on average" if "trainLoss" in facts else ""
    if "validationLoss" in facts:
        loss += f", {facts['validationLoss']:.4f} on samples that it did not learn"
    # The keys of https://huggingface.co/docs/hub/model-cards#model-card-metadata
    return f"""---
base_model: {facts["baseModel"]}
license: {facts["licence"]}
library_name: transformers
---

# {facts["modelId"]}, fine-tuned

- base model: {facts["baseModel"]}{" at " + facts["baseRevision"] if "baseRevision" in facts else ""}; its licence ({facts["licence"]}) holds for this model too
- trained: {facts["method"]}, {facts["step"]} steps on {facts["trainSamples"]} samples (SHA-256 {facts["dataSha256"]}){loss}
- `provenance.json` has the same for programs
"""


def licence_files(base: str) -> list[Path]:
    """Of a folder, or of a repository whose files Hugging Face has kept on this machine."""
    folder = Path(base)
    if not folder.is_dir():
        from huggingface_hub import snapshot_download

        try:
            folder = Path(snapshot_download(base, allow_patterns=LICENCES))
        except (OSError, ValueError) as error:
            # The training is done, and must not fail by this.
            print(f"the licence files of {base} are not beside the result: {error}", file=sys.stderr)
            return []
    return sorted(path for pattern in LICENCES for path in folder.glob(pattern) if path.is_file())


def write_card(target: Path, job: Path, end: dict, base: str, base_revision: str | None) -> None:
    facts = provenance(target, job, end, base, base_revision)
    (target / "README.md").write_text(card(facts), encoding="utf-8")
    (target / "provenance.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    for path in licence_files(base):
        shutil.copyfile(path, target / path.name)
