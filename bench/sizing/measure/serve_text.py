"""Serving with transformers, as provider/engines/python-server/text_model.py loads and asks a model."""

import time

import torch
import transformers

from shapes import text_config, text_model

ANSWER_TOKENS = 8  # contextTokens of a case less its promptTokens


def quantisation(precision: str):
    if precision == "int8":
        return transformers.BitsAndBytesConfig(load_in_8bit=True)
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=precision == "nf4-double",
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def load(model_id: str, precision: str, device: str, tiny: bool):
    options = {"dtype": torch.float32 if precision == "fp32" else torch.bfloat16}
    if precision in ("int8", "nf4", "nf4-double"):
        options["quantization_config"] = quantisation(precision)
    quantised = "quantization_config" in options
    return text_model(text_config(model_id, tiny), device, from_host=quantised, **options).eval()


class Clock(transformers.StoppingCriteria):
    """When each token was there; it stops nothing."""

    def __init__(self):
        self.times = [time.monotonic()]

    def __call__(self, input_ids, scores, **_):
        if input_ids.is_cuda:
            torch.cuda.synchronize()
        self.times.append(time.monotonic())
        return torch.zeros(input_ids.shape[0], device=input_ids.device, dtype=torch.bool)

    def speed(self) -> dict:
        steps = [after - before for before, after in zip(self.times[1:], self.times[2:], strict=False)]
        middle = sorted(steps)[len(steps) // 2]
        return {"firstTokenSeconds": round(self.times[1] - self.times[0], 4), "stepSeconds": round(middle, 5)}


def answer(model, serving: dict, scale: int = 1) -> dict:
    prompt = max(8, serving["promptTokens"] // scale)
    shape = (max(1, serving["concurrency"] // min(scale, 8)), prompt)
    ids = torch.randint(5, model.config.vocab_size, shape, device=model.device)
    clock = Clock()
    with torch.inference_mode():
        model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=ANSWER_TOKENS,
            min_new_tokens=ANSWER_TOKENS,
            do_sample=False,
            pad_token_id=0,
            stopping_criteria=transformers.StoppingCriteriaList([clock]),
        )
    return clock.speed()


def run(cases: list[dict], gauge, device: str, tiny: bool):
    model, loaded = None, None
    for case in cases:
        wanted = (case["model"], case["serving"]["precision"])
        if wanted != loaded:
            model, loaded = None, wanted
            model = gauge.loaded(case, lambda: load(*wanted, device, tiny))
        if model is not None:
            gauge.measure(case, lambda: answer(model, case["serving"], 256 if tiny else 1))
