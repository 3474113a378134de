"""An image model of diffusers: pictures from a prompt."""

import base64
import io
import re

import diffusers
import torch

from http_api import BadRequest, whole


def size_of(body):
    text = body.get("size", "1024x1024")
    match = re.fullmatch(r"(\d{2,4})x(\d{2,4})", text) if isinstance(text, str) else None
    sizes = [int(each) for each in match.groups()] if match else []
    if not sizes or any(each % 8 != 0 or not 64 <= each <= 2048 for each in sizes):
        raise BadRequest('size must be such as "1024x1024", each side a multiple of 8 from 64 to 2048')
    return sizes


class ImageModel:
    def __init__(self, flags):
        on_gpu = torch.cuda.is_available()
        # Half precision is not computed with on most processors.
        dtype = torch.bfloat16 if on_gpu else torch.float32
        self.pipeline = diffusers.DiffusionPipeline.from_pretrained(
            flags.model, torch_dtype=dtype, local_files_only=True, use_safetensors=True
        ).to("cuda" if on_gpu else "cpu")
        self.pipeline.set_progress_bar_config(disable=True)

    def calls(self):
        return {"/v1/images/generations": self.generate}

    def generate(self, body, envelope):
        prompt = body.get("prompt")
        if not isinstance(prompt, str) or not prompt:
            raise BadRequest("prompt must be a text that is not empty")
        if body.get("response_format", "b64_json") != "b64_json":
            raise BadRequest("response_format must be b64_json: there is no place that serves addresses")
        width, height = size_of(body)
        options = {"num_images_per_prompt": whole(body, "n", 1, 1, 8), "width": width, "height": height}
        # The pipeline knows its own number of steps best.
        if body.get("num_inference_steps") is not None:
            options["num_inference_steps"] = whole(body, "num_inference_steps", 1, 1, 200)
        if body.get("seed") is not None:
            options["generator"] = torch.Generator("cpu").manual_seed(whole(body, "seed", 0, 0, 2**31))
        images = self.pipeline(prompt, **options).images
        return {"created": envelope["created"], "data": [{"b64_json": encoded(each)} for each in images]}


def encoded(image):
    content = io.BytesIO()
    image.save(content, format="PNG")
    return base64.b64encode(content.getvalue()).decode()
