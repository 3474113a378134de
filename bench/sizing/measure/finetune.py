"""Fine-tuning with the train.py that `berth finetune` writes, for two steps over samples of one length."""

import gc
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

# As run.sh has it.
os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
sys.path.insert(0, str(Path(__file__).parents[3] / "components/training/scripts"))

import datasets
import torch
import train
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, TrainerCallback
from trl import SFTConfig, SFTTrainer, TrlParser

from shapes import text_config, text_model

STEPS = 2
OPTIMIZERS = {"adamw": "adamw_torch_fused", "adamw-8bit": "adamw_bnb_8bit", "adafactor": "adafactor"}


def settings(case: dict, output: str) -> dict:
    """What components/training/training-settings.ts writes into training.yaml for this case."""
    training = case["training"]
    full, precision = training["method"] == "full", training["precision"]
    masters = precision == "fp32" or (full and precision == "amp")
    adapters = {}
    if not full:
        adapters = {
            "adapter_dtype": "bfloat16" if precision == "bf16" else "float32",
            "lora_rank": training["lora"]["rank"],
            "lora_alpha": 2 * training["lora"]["rank"],
            "lora_target_modules": "all-linear",
        }
    if "quantisation" in training:
        adapters["quantisation"] = training["quantisation"]
    return {
        "base_model": case["model"],
        "method": training["method"],
        "weights_dtype": "float32" if masters else "bfloat16",
        **adapters,
        "max_length": training["sequenceTokens"],
        "per_device_train_batch_size": training["microBatch"],
        "optim": OPTIMIZERS[training["optimizer"]],
        "bf16": precision != "fp32",
        "use_cpu": not torch.cuda.is_available(),
        "gradient_checkpointing": training["gradientCheckpointing"],
        "learning_rate": 1e-5,
        "max_steps": STEPS,
        "output_dir": output,
        "save_strategy": "no",
        "logging_steps": 1,
        "report_to": "none",
        "disable_tqdm": True,
    }


def tokenizer():
    words = Tokenizer(models.WordLevel({"<unk>": 0, "<eos>": 1, "a": 2}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<eos>", pad_token="<eos>", unk_token="<unk>")


class Clock(TrainerCallback):
    """Seconds of each step."""

    def __init__(self):
        self.began, self.steps = 0.0, []

    def on_step_begin(self, *_, **__):
        self.began = time.monotonic()

    def on_step_end(self, args, state, control, **_):
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.steps.append(round(time.monotonic() - self.began, 3))


def train_once(case: dict, device: str, tiny: bool) -> dict:
    training = dict(case["training"])
    if tiny:
        training["sequenceTokens"] = 16
    config = text_config(case["model"], tiny)

    def from_pretrained(_, **options):
        return text_model(config, device, **options)

    output = tempfile.mkdtemp()
    wanted = settings({**case, "training": training}, output)
    flags = [part for name, value in wanted.items() for part in (f"--{name}", str(value))]
    try:
        job, args = TrlParser((train.JobArguments, SFTConfig)).parse_args_and_config(flags)
        with mock.patch.object(train.AutoModelForCausalLM, "from_pretrained", from_pretrained):
            model = train.load_model(job, args)
        length, count = training["sequenceTokens"], STEPS * training["microBatch"]
        samples = [[(5 + 7 * i + j) % config.vocab_size for j in range(length)] for i in range(count)]
        clock = Clock()
        trainer = SFTTrainer(
            model=model,
            args=args,
            train_dataset=datasets.Dataset.from_dict({"input_ids": samples}),
            processing_class=tokenizer(),
            callbacks=[clock],
        )
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        trainer.train()
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
        trainer.accelerator.free_memory()
        return {"stepSeconds": clock.steps[-1], "losses": losses, "attention": model.config._attn_implementation}
    finally:
        shutil.rmtree(output, ignore_errors=True)


def run(cases: list[dict], gauge, device: str, tiny: bool):
    for case in cases:
        gauge.measure(case, lambda: train_once(case, device, tiny))
