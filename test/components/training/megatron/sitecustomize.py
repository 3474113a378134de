"""Stands for Megatron-LM in a Python that has this folder in PYTHONPATH: what a program of a folder calls takes the arguments that
the pinned release takes, by fields.json, and finetune() goes through its steps in that release's order
(megatron/bridge/training/train.py). PyTorch is the real one where there is one; then every rank writes its own part of a checkpoint,
into the folder that the first one makes, and none goes on without all parts."""

import atexit
import importlib.util
import json
import os
import signal
import sys
import types
from pathlib import Path

FIELDS = json.loads((Path(__file__).parent / "fields.json").read_text())
CALLS = FIELDS["calls"]
STEPS = 6
RANK, WORLD = (int(os.environ.get(name, default)) for name, default in (("RANK", "0"), ("WORLD_SIZE", "1")))


def checked(name: str, fields: list[str]):
    def make(self, *values, **named):
        unknown = [each for each in named if each not in fields]
        if unknown or len(values) > len(fields):
            raise TypeError(f"{name}: unexpected {unknown or values}")
        self.__dict__.update(dict.fromkeys(fields), **dict(zip(fields, values)), **named)

    return type(name, (), {"__init__": make})


def parts(checkpoint: Path) -> str:
    """What all ranks wrote; as many as the first of them says there are."""
    count = int((checkpoint / "common").read_text())
    return " and ".join((checkpoint / f"part-{rank}").read_text() for rank in range(count))


class AutoBridge:
    @staticmethod
    def check(name: str, *values, **named):
        checked(name, CALLS[f"AutoBridge.{name}"])(*values, **named)

    @classmethod
    def from_hf_pretrained(cls, *values, **named):
        cls.check("from_hf_pretrained", *values, **named)
        return cls()

    def to_megatron_provider(self, **named):
        self.check("to_megatron_provider", **named)
        return checked("GPTModelProvider", FIELDS["sections"]["model"]["fields"])()

    @classmethod
    def import_ckpt(cls, *values):
        cls.check("import_ckpt", *values)
        Path(values[1]).mkdir()
        (Path(values[1]) / "imported").write_text(values[0])

    def export_adapter_ckpt(self, *values):
        self.check("export_adapter_ckpt", *values)
        Path(values[1]).mkdir()
        (Path(values[1]) / "adapter_model.safetensors").write_text(parts(Path(values[0])))

    def export_ckpt(self, *values):
        self.check("export_ckpt", *values)
        Path(values[1]).mkdir()
        (Path(values[1]) / "model.safetensors").write_text(parts(Path(values[0])))


Callback = type("Callback", (), {name: lambda self, context: None for name in CALLS["Callback"]})


def among_ranks(mine: bool) -> bool:
    """Whether it is so on any rank, asked of all of them at once."""
    if WORLD == 1:
        return mine
    import torch.distributed as dist

    each = [False] * WORLD
    dist.all_gather_object(each, mine)
    return any(each)


def save(folder: Path, step: int) -> None:
    checkpoint = folder / f"iter_{step:07d}"
    if RANK == 0:
        checkpoint.mkdir(parents=True, exist_ok=True)
        (checkpoint / "common").write_text(str(WORLD))
    among_ranks(False)
    (checkpoint / f"part-{RANK}").write_text(f"weights of {step}")
    among_ranks(False)
    if RANK == 0:
        (folder / "latest_checkpointed_iteration.txt").write_text(str(step))


def newest(folder: Path) -> int:
    tracker = folder / "latest_checkpointed_iteration.txt"
    if not tracker.exists():
        return 0
    step = int(tracker.read_text())
    parts(folder / f"iter_{step:07d}")
    return step


def finetune(config, forward_step_func, callbacks=None):
    if WORLD > 1:
        import torch.distributed as dist

        dist.init_process_group("gloo")
    received = []
    signal.signal(signal.SIGTERM, lambda *_: received.append(1))
    if not Path(config.checkpoint.pretrained_checkpoint, "imported").exists():
        raise FileNotFoundError(config.checkpoint.pretrained_checkpoint)
    folder = Path(config.checkpoint.save)
    state = types.SimpleNamespace(step=newest(folder))
    config.train.train_iters = STEPS
    whole = types.SimpleNamespace(train_state=state, cfg=config)

    def fire(name: str, **facts):
        for each in callbacks:
            getattr(each, name)(types.SimpleNamespace(state=whole, **facts))

    fire("on_train_start")
    print(f"from step {state.step}", flush=True)
    while state.step < STEPS:
        fire("on_train_step_end", loss_dict={"lm loss": 3.0 - state.step / 10})
        state.step += 1
        if state.step % 2 == 0:
            fire("on_eval_end", total_loss_dict={"lm loss": 2.5})
        asked = among_ranks(bool(received))
        if asked or state.step % 2 == 0:
            save(folder, state.step)
            fire("on_checkpoint_save")
        if asked:
            leave()
            sys.exit(0)
    leave()


def leave() -> None:
    """Ends with all the others. Gloo aborts a process whose peers have gone without it, and now and then hangs while it takes its
    group apart; so the process ends without that."""
    if WORLD > 1:
        import torch.distributed as dist

        dist.barrier()
        atexit.register(end)


def end() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def module(name: str, **content) -> None:
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__dict__.update(content)


sections = FIELDS["sections"].values()
classes = {each["class"]: checked(each["class"], each["fields"]) for each in sections}
names = [f"{section}" for section in FIELDS["sections"]] + ["mixed_precision"]
preprocessing = [name for name in CALLS if name.endswith("PreprocessingConfig")]
for name in ("megatron", "megatron.bridge.data", "megatron.bridge.training"):
    module(name)
if importlib.util.find_spec("torch") is None:
    distributed = types.ModuleType("torch.distributed")
    distributed.is_initialized = lambda: False
    module("torch", distributed=distributed)
    sys.modules["torch.distributed"] = distributed
tokenizer = types.SimpleNamespace(save_pretrained=lambda target: (Path(target) / "tokenizer.json").write_text("{}"))
module("transformers", AutoTokenizer=types.SimpleNamespace(from_pretrained=lambda base: tokenizer))
module("megatron.bridge.peft")
module("megatron.bridge.peft.lora", **classes)
module("megatron.bridge", AutoBridge=AutoBridge)
module("megatron.bridge.data.builders", **classes, **{name: checked(name, CALLS[name]) for name in preprocessing})
module("megatron.bridge.training.callbacks", Callback=Callback)
module("megatron.bridge.training.config", **classes, ConfigContainer=checked("ConfigContainer", names))
module("megatron.bridge.training.finetune", finetune=finetune)
module("megatron.bridge.training.gpt_step", forward_step=lambda *_: None)
