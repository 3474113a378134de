import assert from "node:assert/strict";
import { findModel } from "../../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { heldPrecision, weightBytes } from "../../../components/sizing/weight-layout.ts";

const catalogue = loadCatalogue();
const model = (id: string) => findModel(id, catalogue);
const gibi = 1024 ** 3;

describe("heldPrecision", () => {
  it("names what lies in memory, which of files of 32 bit is 16 in vLLM", () => {
    const files = model("gpt-neo-1.3b");
    assert.equal(heldPrecision(files, "native", "vllm"), "fp16");
    assert.equal(heldPrecision(files, "native", "transformers"), "fp32");
    assert.equal(heldPrecision(files, "int8", "vllm"), "int8");
    assert.equal(heldPrecision(model("llama-2-7b"), "native", "vllm"), "fp16");
  });
});

describe("weightBytes", () => {
  it("is what the files have in native precision", () => {
    assert.equal(weightBytes(model("llama-2-7b"), "native"), 12.55 * gibi);
  });

  it("keeps embeddings in 16 bit when the rest is quantised", () => {
    // The GPTQ-Int4 figure that Qwen measured is 0.48 GiB with its cache; half the parameters would be 0.23.
    const gib = weightBytes(model("qwen2.5-0.5b"), "int4") / gibi;
    assert.ok(gib > 0.4 && gib < 0.5, `${gib} GiB`);
  });

  it("mixes the block formats of a k-quant as llama-quantize does", () => {
    // 4.58 GiB: https://github.com/ggml-org/llama.cpp/blob/master/tools/quantize/README.md
    const gib = weightBytes(model("llama-3.1-8b"), "q4_k_m") / gibi;
    assert.ok(Math.abs(gib - 4.58) < 0.03, `${gib} GiB`);
  });

  it("orders the precisions", () => {
    const seven = model("llama-2-7b");
    const formats = ["fp32", "bf16", "gptq-int8", "int8", "nf4", "int4", "nf4-double"] as const;
    const sizes = formats.map((format) => weightBytes(seven, format));
    assert.deepEqual(
      sizes,
      sizes.toSorted((a, b) => b - a),
    );
  });
});
