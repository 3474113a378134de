"""Fine-tunes a causal language model as training.yaml says, and goes on from the newest whole checkpoint.

Run it through run.sh. Every line of training.yaml is an argument too: `./run.sh --learning_rate 1e-5`.
It ends early, with a checkpoint, when output/stop appears or the time STOP_AT (seconds since 1970) is reached.
"""

import json
import math
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from datasets import load_dataset
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer, TrlParser

from card import finite, write_card
from hosts import same_checkpoint, same_folder

WHOLE = "whole"


@dataclass
class JobArguments:
    """What training.yaml says besides the arguments of TRL's SFTConfig."""

    base_model: str
    method: str
    weights_dtype: str
    adapter_dtype: str = "float32"
    train_file: str = "data/train.jsonl"
    validation_file: str | None = None
    lora_rank: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.05
    lora_target_modules: str = "all-linear"
    quantisation: str | None = None
    checkpoint_minutes: float = 15


def is_distributed() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def from_first_rank(flags: list[bool], device: torch.device) -> list[bool]:
    """Every rank does what the first one saw: ranks that disagree would wait for each other for ever."""
    if not is_distributed():
        return flags
    values = torch.tensor(flags, dtype=torch.uint8, device=device)
    torch.distributed.broadcast(values, 0)
    return [bool(value) for value in values.tolist()]


class Keeper(TrainerCallback):
    """Checkpoints by time, an end in order, and output/progress.jsonl."""

    def __init__(self, job: JobArguments, device: torch.device):
        self.interval = job.checkpoint_minutes * 60
        self.device = device
        self.saved = time.monotonic()
        self.stopped = False
        stop_at = os.environ.get("STOP_AT")
        self.stop_at = float(stop_at) if stop_at else math.inf

    def on_step_end(self, args, state, control, **kwargs):
        asked = Path(args.output_dir, "stop").exists() or time.time() >= self.stop_at
        due = time.monotonic() - self.saved >= self.interval
        stop, save = from_first_rank([asked, due], self.device)
        if stop:
            self.stopped = state.global_step < state.max_steps
            control.should_training_stop = True
        if stop or save:
            control.should_save = True
        return control

    def on_save(self, args, state, control, **kwargs):
        # The mark comes after every rank has written its part, so a checkpoint without it was cut off.
        if is_distributed():
            torch.distributed.barrier()
        if state.is_world_process_zero:
            mark = Path(args.output_dir, f"checkpoint-{state.global_step}", WHOLE)
            mark.write_text(f"{state.global_step}\n")
            os.sync()
            self.note(args, state, {"checkpoint": state.global_step})
        self.saved = time.monotonic()

    def on_log(self, args, state, control, logs=None, **kwargs):
        if state.is_world_process_zero and logs:
            self.note(args, state, logs)

    @staticmethod
    def note(args, state, facts: dict):
        entry = {"step": state.global_step, "steps": state.max_steps, "time": round(time.time()), **finite(facts)}
        with open(Path(args.output_dir, "progress.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def newest_checkpoint(output: Path, main: bool) -> str | None:
    """The newest checkpoint that was written to its end; the first rank removes those that were not."""
    steps = {int(path.name.rpartition("-")[2]): path for path in output.glob("checkpoint-*") if path.is_dir()}
    whole = [step for step, path in steps.items() if (path / WHOLE).exists()]
    for step, path in steps.items():
        if main and step not in whole:
            print(f"{path} was cut off and is removed", file=sys.stderr)
            shutil.rmtree(path, ignore_errors=True)
    return str(steps[max(whole)]) if whole else None


def check_quantised(model, name: str) -> None:
    """Ends where bitsandbytes left most of the weights as they were: then the memory that was planned is not enough."""
    import bitsandbytes

    layers = [module for module in model.modules() if isinstance(module, bitsandbytes.nn.Linear4bit)]
    quantised = sum(layer.in_features * layer.out_features for layer in layers)
    tables = {id(module.weight) for module in (model.get_input_embeddings(), model.get_output_embeddings()) if module}
    left = sum(
        weight.numel()
        for weight in model.parameters()
        if weight.dim() > 1 and id(weight) not in tables and not isinstance(weight, bitsandbytes.nn.Params4bit)
    )
    if quantised < left:
        sys.exit(
            f"bitsandbytes quantised {quantised / 1e9:.1f} of the {(quantised + left) / 1e9:.1f} billion weights of {name}: "
            "this release of transformers leaves matrices of their own class (Falcon) and fused experts as they are. Train it "
            "with `method: lora`, or take another model."
        )


def load_model(job: JobArguments, args: SFTConfig):
    dtype = getattr(torch, job.weights_dtype)
    # Without a wish transformers takes SDPA where the architecture has it: Gemma 2 and GPT-Neo do not.
    options: dict = {"dtype": dtype}
    if job.quantisation is not None:
        from transformers import BitsAndBytesConfig

        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=job.quantisation == "nf4-double",
            bnb_4bit_compute_dtype=dtype,
            # FSDP shards what is stored as the dtype that it computes in.
            bnb_4bit_quant_storage=dtype,
        )
        if not args.fsdp and torch.cuda.is_available():
            options["device_map"] = {"": int(os.environ.get("LOCAL_RANK", 0))}
    model = AutoModelForCausalLM.from_pretrained(job.base_model, **options)
    if job.quantisation is not None:
        check_quantised(model, job.base_model)
    model.config.use_cache = False
    if job.method == "full":
        return model
    if job.quantisation is not None and job.adapter_dtype == "float32":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    lora = LoraConfig(
        task_type="CAUSAL_LM",
        r=job.lora_rank,
        lora_alpha=job.lora_alpha,
        lora_dropout=job.lora_dropout,
        target_modules=job.lora_target_modules,
    )
    return get_peft_model(model, lora, autocast_adapter_dtype=job.adapter_dtype == "float32")


def load_data(job: JobArguments):
    files = {"train": job.train_file}
    if job.validation_file:
        files["validation"] = job.validation_file
    data = load_dataset("json", data_files=files)
    return data["train"], data.get("validation")


def load_tokenizer(job: JobArguments, args: SFTConfig, columns: list[str]):
    tokenizer = AutoTokenizer.from_pretrained(job.base_model)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if "messages" in columns and tokenizer.chat_template is None and args.chat_template_path is None:
        sys.exit(
            f"The samples are chats, and the tokenizer of {job.base_model} has no chat template. Give one with "
            "`chat_template_path: template.jinja` in training.yaml, or train the variant that is made for chat."
        )
    return tokenizer


def main() -> None:
    (job, args) = TrlParser((JobArguments, SFTConfig)).parse_args_and_config()
    output = Path(args.output_dir)
    output.mkdir(parents=True, exist_ok=True)
    first = args.process_index == 0
    # Hosts with folders of their own have the result on the first one alone.
    if from_first_rank([(output / "finished.json").exists()], args.device)[0]:
        if first:
            print("It is finished: output/finished.json says how. Remove the folder output to begin again.")
        return
    if args.deepspeed:
        same_folder(output)
    checkpoint = newest_checkpoint(output, first)
    same_checkpoint(checkpoint)
    transformers.set_seed(args.seed)
    train, validation = load_data(job)
    if validation is None:
        args.eval_strategy = transformers.trainer_utils.IntervalStrategy.NO
    tokenizer = load_tokenizer(job, args, train.column_names)
    model = load_model(job, args)
    keeper = Keeper(job, args.device)
    trainer = SFTTrainer(
        model=model,
        args=args,
        train_dataset=train,
        eval_dataset=validation,
        processing_class=tokenizer,
        callbacks=[keeper],
    )
    if checkpoint is not None and first:
        print(f"going on from {checkpoint}")
    result = trainer.train(resume_from_checkpoint=checkpoint)
    if keeper.stopped:
        if first:
            print(f"stopped at step {trainer.state.global_step} of {trainer.state.max_steps}; run it again to go on")
        return
    target = output / ("model" if job.method == "full" else "adapter")
    trainer.save_model(str(target))
    facts = {"step": trainer.state.global_step, "trainLoss": result.training_loss, "result": target.name}
    if validation is not None:
        facts["validationLoss"] = trainer.evaluate()["eval_loss"]
    facts = finite(facts)
    if first:
        tokenizer.save_pretrained(target)
        write_card(target, Path("."), facts, job.base_model, getattr(model.config, "_commit_hash", None))
        (output / "finished.json").write_text(json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main()
