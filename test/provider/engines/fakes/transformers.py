"""Stands in for transformers. It "answers" with the prompt's words reversed, and misbehaves as FAKE_FAULT says."""

import json
import os
import queue
import random
import time

import torch

fault = os.environ.get("FAKE_FAULT", "")


class StoppingCriteria:
    pass


class StoppingCriteriaList(list):
    pass


class BitsAndBytesConfig(dict):
    def __init__(self, **options):
        super().__init__(options)


def set_seed(seed):
    random.seed(seed)


class Inputs(dict):
    def to(self, device):
        return self


class Tokenizer:
    chat_template = None if fault == "no-template" else "template"

    def __call__(self, text, return_tensors):
        words = text.split()
        return Inputs(input_ids=torch.Tensor(words), attention_mask=torch.Tensor([1] * len(words)))

    def apply_chat_template(self, messages, **_):
        return self(" ".join(message["content"] for message in messages), "pt")


class TextIteratorStreamer:
    def __init__(self, tokenizer, skip_prompt, skip_special_tokens):
        self.queue = queue.Queue()

    def end(self):
        self.queue.put(None)

    def __iter__(self):
        while (text := self.queue.get()) is not None:
            yield text


class Model:
    device = "cpu"

    def eval(self):
        return self

    def generate(self, input_ids, attention_mask, streamer, stopping_criteria, max_new_tokens, **options):
        if fault == "out-of-memory":
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        words = input_ids.values[::-1]
        count = 10_000 if "for-ever" in words else len(words)
        for made in range(min(count, max_new_tokens)):
            if fault == "cuda-error" and made == 1:
                raise RuntimeError("CUDA error: an illegal memory access was encountered")
            word = words[made % len(words)]
            # Draws from the process's generator, as sampling does; the pause lets another draw in between.
            streamer.queue.put((str(random.randint(1, 6)) if word == "dice" else word) + " ")
            if any(criterion(input_ids, None)[0] for criterion in stopping_criteria):
                print("generation ended early", flush=True)
                break
            if "for-ever" in words or word == "dice":
                time.sleep(0.01)
        print("options " + json.dumps(options), flush=True)
        streamer.end()


class AutoTokenizer:
    @staticmethod
    def from_pretrained(folder, local_files_only):
        return Tokenizer()


class AutoModelForCausalLM:
    @staticmethod
    def from_pretrained(folder, **options):
        if fault == "broken-weights":
            raise OSError("Error no file named model.safetensors found in " + folder)
        print("load " + json.dumps(options), flush=True)
        return Model()
