"""Says in JSON what the adapter over its base and the merged model answer, and how far their logits are apart.

python compare.py BASE ADAPTER MERGED QUESTION
"""

import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def main(base: str, adapter: str, merged: str, question: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(merged)
    turns = [{"role": "user", "content": question}]
    prompt = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    models = {
        "base": plain,
        "merged": AutoModelForCausalLM.from_pretrained(merged, dtype=torch.float32),
    }
    facts = {}
    logits = {}
    with torch.no_grad():
        for name in ["base", "merged", "adapter"]:
            # PEFT changes the base model in place, so it comes last.
            model = models.get(name) or PeftModel.from_pretrained(plain, adapter)
            logits[name] = model(**prompt).logits
            made = model.generate(**prompt, max_new_tokens=24, do_sample=False)
            facts[name] = tokenizer.decode(made[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
    facts["difference"] = (logits["merged"] - logits["adapter"]).abs().max().item()
    facts["learnt"] = (logits["base"] - logits["adapter"]).abs().max().item()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
