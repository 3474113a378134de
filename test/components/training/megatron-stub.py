"""Runs a program of a Megatron-LM folder without Megatron-LM: what it calls takes the arguments that the pinned release takes, by
megatron-fields.json, and finetune() goes through its steps in that release's order (megatron/bridge/training/train.py).

python megatron-stub.py FIELDS PROGRAM WORDS...
"""

import json
import os
import runpy
import signal
import sys
import types
from pathlib import Path

FIELDS = json.loads(Path(sys.argv[1]).read_text())
CALLS = FIELDS["calls"]
STEPS = 6


def checked(name: str, fields: list[str]):
    def make(self, *values, **named):
        unknown = [each for each in named if each not in fields]
        if unknown or len(values) > len(fields):
            raise TypeError(f"{name}: unexpected {unknown or values}")
        self.__dict__.update(dict.fromkeys(fields), **dict(zip(fields, values)), **named)

    return type(name, (), {"__init__": make})


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
        (Path(values[1]) / "adapter_model.safetensors").write_text((Path(values[0]) / "part").read_text())

    def export_ckpt(self, *values):
        self.check("export_ckpt", *values)
        Path(values[1]).mkdir()
        (Path(values[1]) / "model.safetensors").write_text((Path(values[0]) / "part").read_text())


Callback = type("Callback", (), {name: lambda self, context: None for name in CALLS["Callback"]})


def save(folder: Path, step: int) -> None:
    (folder / f"iter_{step:07d}").mkdir(parents=True, exist_ok=True)
    (folder / f"iter_{step:07d}/part").write_text(f"weights of {step}")
    (folder / "latest_checkpointed_iteration.txt").write_text(str(step))


def finetune(config, forward_step_func, callbacks=None):
    received = []
    signal.signal(signal.SIGTERM, lambda *_: received.append(1))
    folder = Path(config.checkpoint.save)
    tracker = folder / "latest_checkpointed_iteration.txt"
    state = types.SimpleNamespace(step=int(tracker.read_text()) if tracker.exists() else 0)
    config.train.train_iters = STEPS
    whole = types.SimpleNamespace(train_state=state, cfg=config)

    def fire(name: str, **facts):
        for each in callbacks:
            getattr(each, name)(types.SimpleNamespace(state=whole, **facts))

    fire("on_train_start")
    print(f"from step {state.step}")
    while state.step < STEPS:
        fire("on_train_step_end", loss_dict={"lm loss": 3.0 - state.step / 10})
        state.step += 1
        if state.step % 2 == 0:
            fire("on_eval_end", total_loss_dict={"lm loss": 2.5})
        if received or state.step % 2 == 0:
            save(folder, state.step)
            fire("on_checkpoint_save")
        if received:
            sys.exit(0)


def module(name: str, **content) -> None:
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__dict__.update(content)


sections = FIELDS["sections"].values()
classes = {each["class"]: checked(each["class"], each["fields"]) for each in sections}
names = [f"{section}" for section in FIELDS["sections"]] + ["mixed_precision"]
preprocessing = [name for name in CALLS if name.endswith("PreprocessingConfig")]
for name in ("megatron", "megatron.bridge.data", "megatron.bridge.training", "torch"):
    module(name)
distributed = types.ModuleType("torch.distributed")
distributed.is_initialized = lambda: False
sys.modules["torch.distributed"] = sys.modules["torch"].distributed = distributed
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

sys.argv = sys.argv[2:]
sys.path.insert(0, os.getcwd())
runpy.run_path(sys.argv[0], run_name="__main__")
