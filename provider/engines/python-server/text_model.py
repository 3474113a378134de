"""A language model of Hugging Face transformers: completions and chats, whole or streamed."""

import threading

import torch
import transformers

from http_api import BadRequest, number, whole


class Watch(transformers.StoppingCriteria):
    """Counts tokens as they are made, and ends the making when nobody wants them."""

    def __init__(self):
        self.tokens = 0
        self.cancelled = False

    def __call__(self, input_ids, scores, **_):
        self.tokens += 1
        return torch.full((input_ids.shape[0],), self.cancelled, device=input_ids.device, dtype=torch.bool)


class Generation:
    """One answer under way."""

    def __init__(self, owner, inputs, wanted, envelope, shape, seed):
        self.seed = seed
        self.prompt_tokens = int(inputs["input_ids"].shape[-1])
        self.wanted = wanted
        self.envelope = envelope
        self.shape = shape
        self.watch = Watch()
        self.error = None
        self.streamer = transformers.TextIteratorStreamer(
            owner.tokenizer, skip_prompt=True, skip_special_tokens=True
        )
        self.thread = threading.Thread(target=self.run, args=(owner, inputs), daemon=True)
        self.thread.start()

    def run(self, owner, inputs):
        try:
            # generate() draws from the process's own generators, and the turn keeps all others from them.
            if self.seed is not None:
                transformers.set_seed(self.seed)
            with torch.inference_mode():
                owner.model.generate(
                    **inputs,
                    **self.wanted,
                    streamer=self.streamer,
                    stopping_criteria=transformers.StoppingCriteriaList([self.watch]),
                )
        except BaseException as error:  # whatever it is, the reader waits for the end of the stream
            self.error = error
            self.streamer.end()

    def finish_reason(self):
        return "length" if self.watch.tokens >= self.wanted["max_new_tokens"] else "stop"

    def texts(self):
        yield from self.streamer
        self.thread.join()
        if self.error is not None:
            raise self.error

    def usage(self):
        made = self.watch.tokens
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": made,
            "total_tokens": self.prompt_tokens + made,
        }

    def whole(self):
        text = "".join(self.texts())
        choice = self.shape(text, self.finish_reason(), False)
        return {**self.envelope, "choices": [choice], "usage": self.usage()}

    def parts(self):
        for text in self.texts():
            if text:
                yield {**self.envelope, "choices": [self.shape(text, None, True)]}
        yield {**self.envelope, "choices": [self.shape("", self.finish_reason(), True)], "usage": self.usage()}

    def cancel(self):
        self.watch.cancelled = True
        self.thread.join()


def completion_choice(text, reason, _part):
    return {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}


def chat_choice(text, reason, part):
    message = {"role": "assistant", "content": text}
    return {"index": 0, "delta" if part else "message": message, "finish_reason": reason}


def quantisation(kind):
    if kind == "int8":
        return transformers.BitsAndBytesConfig(load_in_8bit=True)
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


class TextModel:
    def __init__(self, flags):
        options = {"dtype": "auto", "device_map": "auto", "local_files_only": True}
        if flags.quantise != "none":
            options["quantization_config"] = quantisation(flags.quantise)
        self.flags = flags
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(flags.model, local_files_only=True)
        self.model = transformers.AutoModelForCausalLM.from_pretrained(flags.model, **options).eval()

    def calls(self):
        return {"/v1/completions": self.complete, "/v1/chat/completions": self.chat}

    def wanted(self, body):
        temperature = number(body, "temperature", self.flags.temperature, 0, 2)
        wanted = {"max_new_tokens": whole(body, "max_tokens", 16, 1, self.flags.context)}
        if temperature == 0:
            return {**wanted, "do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        top_p = number(body, "top_p", self.flags.top_p, 0, 1)
        return {**wanted, "do_sample": True, "temperature": temperature, "top_p": top_p}

    def generate(self, inputs, body, envelope, shape):
        wanted = self.wanted(body)
        asked = int(inputs["input_ids"].shape[-1])
        if asked + wanted["max_new_tokens"] > self.flags.context:
            raise BadRequest(
                f"the prompt has {asked} tokens, and with max_tokens {wanted['max_new_tokens']} "
                f"that is more than the context of {self.flags.context}"
            )
        seed = None if body.get("seed") is None else whole(body, "seed", 0, 0, 2**31)
        return Generation(self, inputs, wanted, envelope, shape, seed)

    def complete(self, body, envelope):
        prompt = body.get("prompt")
        if not isinstance(prompt, str) or not prompt:
            raise BadRequest("prompt must be a text that is not empty")
        inputs = self.tokenizer(prompt, return_tensors="pt").to(self.model.device)
        return self.generate(
            {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"]},
            body,
            {**envelope, "id": "cmpl", "object": "text_completion"},
            completion_choice,
        )

    def chat(self, body, envelope):
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            raise BadRequest("messages must be a list that is not empty")
        if not self.tokenizer.chat_template:
            raise BadRequest("the model has no chat template: ask /v1/completions")
        try:
            inputs = self.tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
            ).to(self.model.device)
        except (KeyError, TypeError, ValueError) as error:
            raise BadRequest(f"messages do not fit the model's template: {error}") from error
        kind = "chat.completion.chunk" if body.get("stream") is True else "chat.completion"
        return self.generate(
            {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"]},
            body,
            {**envelope, "id": "chatcmpl", "object": kind},
            chat_choice,
        )
