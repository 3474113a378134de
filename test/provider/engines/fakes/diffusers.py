"""Stands in for diffusers: its pictures are text."""


class Image:
    def __init__(self, text):
        self.text = text

    def save(self, target, format):
        target.write(f"{format}: {self.text}".encode())


class Answer:
    def __init__(self, images):
        self.images = images


class DiffusionPipeline:
    @staticmethod
    def from_pretrained(folder, torch_dtype, local_files_only, use_safetensors):
        pipeline = DiffusionPipeline()
        pipeline.dtype = torch_dtype
        return pipeline

    def to(self, device):
        self.device = device
        return self

    def set_progress_bar_config(self, disable):
        pass

    def __call__(self, prompt, width, height, num_images_per_prompt, num_inference_steps=50, generator=None):
        seed = None if generator is None else generator.seed
        text = f"{prompt} {width}x{height} in {num_inference_steps} steps, seed {seed}, {self.dtype} on {self.device}"
        return Answer([Image(text)] * num_images_per_prompt)
