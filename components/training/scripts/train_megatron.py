"""Fine-tunes every weight, or adapters, with Megatron-LM as megatron.yaml says, and goes on from the newest checkpoint.

Run it through run.sh, on every host. It ends early, with a checkpoint, when output/stop appears or the time STOP_AT
(seconds since 1970) is reached.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import yaml
from megatron.bridge import AutoBridge
from megatron.bridge.data.builders import (
    ChatSFTPreprocessingConfig,
    GPTSFTDatasetConfig,
    PromptCompletionSFTPreprocessingConfig,
)
from megatron.bridge.peft.lora import LoRA
from megatron.bridge.training.callbacks import Callback
from megatron.bridge.training.config import (
    CheckpointConfig,
    ConfigContainer,
    DistributedDataParallelConfig,
    LoggerConfig,
    OptimizerConfig,
    RNGConfig,
    SchedulerConfig,
    TokenizerConfig,
    TrainingConfig,
    ValidationConfig,
)
from megatron.bridge.training.finetune import finetune
from megatron.bridge.training.gpt_step import forward_step

from card import finite
from hosts import same_folder

OUTPUT = Path("output")
# The samples by the names that Megatron Bridge looks for.
NAMES = {"train.jsonl": "training.jsonl", "validation.jsonl": "validation.jsonl"}


class Keeper(Callback):
    """Turns output/stop and STOP_AT into the signal after which every rank ends its step and keeps it; marks whole checkpoints, and
    writes output/progress.jsonl."""

    def __init__(self):
        stop_at = os.environ.get("STOP_AT")
        self.stop_at = float(stop_at) if stop_at else float("inf")
        self.rank = int(os.environ.get("RANK", "0"))
        # The losses are those of the last stage of the pipeline, which the last rank is of.
        self.has_losses = self.rank == int(os.environ.get("WORLD_SIZE", "1")) - 1

    def on_train_start(self, context):
        same_folder(OUTPUT)

    def on_train_step_end(self, context):
        # The step is counted after the callbacks.
        losses = {name: float(value) for name, value in (context.loss_dict or {}).items()}
        if self.has_losses and losses:
            self.note(context, context.state.train_state.step + 1, {"loss": next(iter(losses.values()))})
        if (OUTPUT / "stop").exists() or time.time() >= self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)

    def on_eval_end(self, context):
        losses = [float(value) for value in (context.total_loss_dict or {}).values()]
        if self.has_losses and losses:
            self.note(context, context.state.train_state.step, {"eval_loss": losses[0]})

    def on_checkpoint_save(self, context):
        # All ranks have written their parts by now.
        if self.rank == 0:
            step = context.state.train_state.step
            (OUTPUT / f"checkpoints/iter_{step:07d}/whole").write_text(f"{step}\n")
            self.note(context, step, {"checkpoint": step})

    @staticmethod
    def note(context, step: int, facts: dict) -> None:
        steps = context.state.cfg.train.train_iters or 0
        with open(OUTPUT / "progress.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "steps": steps, "time": round(time.time()), **finite(facts)}) + "\n")


def prepare_data(root: Path) -> None:
    for ours, theirs in NAMES.items():
        if (root / ours).exists() and not (root / theirs).exists():
            try:
                (root / theirs).symlink_to(ours)
            except FileExistsError:
                pass


def preprocessing(kind: str):
    if kind == "messages":
        return ChatSFTPreprocessingConfig(loss_mode="full")
    return PromptCompletionSFTPreprocessingConfig(prompt_column="prompt", completion_column="completion")


def apply(target, settings: dict):
    """Sets what the file says; a name that this release does not have is an error, and not a new attribute."""
    for name, value in settings.items():
        if not hasattr(target, name):
            sys.exit(f"megatron.yaml: {type(target).__name__} has no {name}")
        setattr(target, name, value)
    return target


def main() -> None:
    settings = yaml.safe_load(Path("megatron.yaml").read_text(encoding="utf-8"))
    if (OUTPUT / "trained.json").exists() or (OUTPUT / "finished.json").exists():
        print("It is trained. Remove the folder output to begin again.")
        return
    prepare_data(Path(settings["dataset"]["dataset_root"]))
    base = os.environ.get("BASE_MODEL", settings["base_model"])
    bridge = AutoBridge.from_hf_pretrained(base)
    config = ConfigContainer(
        model=apply(bridge.to_megatron_provider(load_weights=False), settings["model"]),
        train=TrainingConfig(**settings["train"]),
        validation=ValidationConfig(**settings["validation"]),
        optimizer=OptimizerConfig(**settings["optimizer"]),
        scheduler=SchedulerConfig(**settings["scheduler"]),
        ddp=DistributedDataParallelConfig(**settings["ddp"]),
        dataset=GPTSFTDatasetConfig(preprocessing=preprocessing(settings["samples"]), **settings["dataset"]),
        tokenizer=TokenizerConfig(tokenizer_model=base, **settings["tokenizer"]),
        checkpoint=CheckpointConfig(**settings["checkpoint"]),
        logger=LoggerConfig(**settings["logger"]),
        rng=RNGConfig(**settings["rng"]),
        peft=LoRA(**settings["peft"]) if "peft" in settings else None,
        mixed_precision=settings["mixed_precision"],
    )
    # It ends the process itself where it stopped early, so what follows is reached by a training that is through.
    finetune(config, forward_step, callbacks=[Keeper()])
    if int(os.environ.get("RANK", "0")) == 0:
        text = json.dumps({"step": config.train.train_iters}) + "\n"
        (OUTPUT / "trained.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
