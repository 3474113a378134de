"""Models of the true shape with random weights: how much memory they take does not depend on what they hold."""

import contextlib
import json
from pathlib import Path
from unittest import mock

import torch
import transformers

CATALOGUE = Path(__file__).parents[3] / "components/catalogue/data/models.json"


def catalogue_row(model_id: str) -> dict:
    rows = json.loads(CATALOGUE.read_text())["rows"]
    return next(row for row in rows if row["id"] == model_id)


def shared(row: dict) -> dict:
    """The fields that most families' configurations have, under transformers' names."""
    return {
        "vocab_size": row["vocabularySize"],
        "hidden_size": row["hiddenSize"],
        "intermediate_size": row["intermediateSize"],
        "num_hidden_layers": row["layers"],
        "num_attention_heads": row["attentionHeads"],
        "num_key_value_heads": row["kvHeads"],
        "head_dim": row.get("headDimension"),
        "max_position_embeddings": row["maxContextTokens"],
        "tie_word_embeddings": row["tiedEmbeddings"],
    }


def gpt_neo(row: dict) -> dict:
    return {
        "vocab_size": row["vocabularySize"],
        "hidden_size": row["hiddenSize"],
        "num_layers": row["layers"],
        "num_heads": row["attentionHeads"],
        "max_position_embeddings": row["maxContextTokens"],
        "attention_types": [[["global", "local"], row["layers"] // 2]],
    }


def falcon(row: dict) -> dict:
    return {
        "vocab_size": row["vocabularySize"],
        "hidden_size": row["hiddenSize"],
        "num_hidden_layers": row["layers"],
        "num_attention_heads": row["attentionHeads"],
        "max_position_embeddings": row["maxContextTokens"],
    }


def big_code(row: dict) -> dict:
    return {
        "vocab_size": row["vocabularySize"],
        "n_embd": row["hiddenSize"],
        "n_inner": row["intermediateSize"],
        "n_layer": row["layers"],
        "n_head": row["attentionHeads"],
        "n_positions": row["maxContextTokens"],
    }


def star_coder_2(row: dict) -> dict:
    return {**shared(row), "sliding_window": row["kvWindowTokens"], "use_bias": True}


def gemma(row: dict) -> dict:
    return {**shared(row), "sliding_window": row["kvWindowTokens"]}


def qwen3_moe(row: dict) -> dict:
    experts = row["experts"]
    return {
        **shared(row),
        "num_experts": experts["count"],
        "num_experts_per_tok": experts["perToken"],
        "moe_intermediate_size": experts["intermediateSize"],
    }


def deepseek_v2(row: dict) -> dict:
    """DeepSeek-V2-Lite's own config.json: 2 shared experts of 1,408, the first layer dense."""
    experts, mla = row["experts"], row["mla"]
    fields = {key: value for key, value in shared(row).items() if key != "head_dim"}
    return {
        **fields,
        "intermediate_size": experts["denseIntermediateSize"],
        "moe_intermediate_size": experts["intermediateSize"],
        "n_routed_experts": experts["count"],
        "num_experts_per_tok": experts["perToken"],
        "n_shared_experts": experts["sharedIntermediateSize"] // experts["intermediateSize"],
        "first_k_dense_replace": row["layers"] - experts["layers"],
        "n_group": 1,
        "topk_group": 1,
        "topk_method": "greedy",
        "q_lora_rank": None,
        "kv_lora_rank": mla["latentRank"],
        "qk_rope_head_dim": mla["ropeDimension"],
        "qk_nope_head_dim": mla["nopeDimension"],
        "v_head_dim": mla["valueDimension"],
    }


FAMILIES = {
    "LlamaForCausalLM": ("LlamaConfig", shared),
    "MistralForCausalLM": ("MistralConfig", lambda row: {**shared(row), "sliding_window": None}),
    "Qwen2ForCausalLM": ("Qwen2Config", shared),
    "Qwen3ForCausalLM": ("Qwen3Config", shared),
    "Qwen3MoeForCausalLM": ("Qwen3MoeConfig", qwen3_moe),
    "Phi3ForCausalLM": ("Phi3Config", lambda row: {**shared(row), "pad_token_id": 0}),
    "Gemma2ForCausalLM": ("Gemma2Config", gemma),
    "FalconForCausalLM": ("FalconConfig", falcon),
    "GPTNeoForCausalLM": ("GPTNeoConfig", gpt_neo),
    "GPTBigCodeForCausalLM": ("GPTBigCodeConfig", big_code),
    "Starcoder2ForCausalLM": ("Starcoder2Config", star_coder_2),
    "DeepseekV2ForCausalLM": ("DeepseekV2Config", deepseek_v2),
}


def tiny_row(row: dict) -> dict:
    """The same kind of model, small enough for a processor."""
    small = {"layers": 2, "vocabularySize": 512, "hiddenSize": 64 * row["attentionHeads"] // 4, "intermediateSize": 128}
    if "headDimension" in row:
        small["headDimension"] = 16
        small["hiddenSize"] = 16 * row["attentionHeads"]
    if "experts" in row:
        small["experts"] = {**row["experts"], "layers": 1, "intermediateSize": 64, "sharedIntermediateSize": 128}
    return {**row, **small}


def text_config(model_id: str, tiny: bool = False):
    row = catalogue_row(model_id)
    if tiny:
        row = tiny_row(row)
    name, fields = FAMILIES[row["architecture"]]
    return getattr(transformers, name)(**fields(row))


def meta_model(config):
    with torch.device("meta"):
        return transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)


def random_weights(config, dtype: torch.dtype, device: str) -> dict:
    """A state dict as a checkpoint of this configuration has it, on the device."""
    shapes = {name: tensor.shape for name, tensor in meta_model(config).named_parameters()}
    if device == "cpu":
        # Pages that nobody wrote cost nothing, and no quantisation looks at the values.
        return {name: torch.empty(shape, dtype=dtype) for name, shape in shapes.items()}
    return {name: torch.empty(shape, dtype=dtype, device=device).normal_(0, 0.02) for name, shape in shapes.items()}


def text_model(config, device: str, from_host: bool = False, **options):
    """What from_pretrained makes of such a checkpoint, by its own way of loading and quantising.

    `from_host` takes the weights from the host's memory, as from a file: slower, and the allocator's blocks lie as they do
    after a start of a server. Otherwise they are made where they stay.
    """
    dtype = options.get("dtype", torch.bfloat16)
    kind = transformers.MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]
    stored = torch.bfloat16 if "quantization_config" in options else dtype
    weights = random_weights(config, stored, "cpu" if from_host else device)
    options.setdefault("device_map", {"": 0 if device == "cuda" else device})
    # It takes a block for all weights beforehand, which those that are there already do not fill.
    warm_up = "transformers.modeling_utils.caching_allocator_warmup"
    with contextlib.nullcontext() if from_host else mock.patch(warm_up, lambda *_, **__: None):
        return kind.from_pretrained(None, config=config, state_dict=weights, **options)
