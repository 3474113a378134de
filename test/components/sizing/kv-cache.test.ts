import assert from "node:assert/strict";
import { findModel } from "../../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import {
  cacheCopies,
  kvCacheBytes,
  kvFormatFactor,
  kvShare,
} from "../../../components/sizing/kv-cache.ts";
import { UserError } from "../../../components/user-error.ts";

const catalogue = loadCatalogue();
const model = (id: string) => findModel(id, catalogue);

describe("kvCacheBytes", () => {
  // Bytes a token by the published configurations: 2 x layers x KV heads x head dimension x 2.
  for (const [id, bytes] of [
    ["llama-3.1-8b", 131_072],
    ["llama-2-7b", 524_288],
    ["llama-2-13b", 819_200],
    ["qwen3-8b", 147_456],
    ["deepseek-v3", 70_272],
  ] as const) {
    it(`takes ${bytes} bytes a token of ${id}`, () => {
      assert.equal(kvCacheBytes(model(id), 16) / 16, bytes);
    });
  }

  it("has wider and fewer heads in the full layers of Gemma 4, and its windows beside them", () => {
    const gemma = model("gemma-4-31b");
    const windows = 50 * 2 * 16 * 256 * 2 * 1024;
    assert.equal(kvCacheBytes(gemma, 262_144), 262_144 * 81_920 + windows);
  });

  it("rounds up to blocks of 16 tokens", () => {
    assert.equal(kvCacheBytes(model("llama-3.1-8b"), 17), 32 * 131_072);
  });

  it("stops growing in the layers with a sliding window", () => {
    const gptOss = model("gpt-oss-120b");
    // 18 full layers of 8 heads x 64: 9,216 MiB for two sequences of 131,072 tokens, as ollama measured.
    const window = (gptOss.kvLocalBytesPerToken ?? 0) * (gptOss.kvWindowTokens ?? 0);
    const global = kvCacheBytes(gptOss, 131_072) - window;
    assert.equal((2 * global) / 1024 ** 2, 9216);
  });

  it("keeps the state of recurrent layers whole where the cache has fewer bits", () => {
    const qwen = model("qwen3.6-35b-a3b");
    const state = qwen.stateBytesPerSequence ?? 0;
    assert.ok(state > 0);
    assert.equal(kvCacheBytes(qwen, 1024, "vllm", "fp8"), state + (1024 * 20_480) / 2);
  });

  it("says what the catalogue lacks", () => {
    const bare = { ...model("llama-2-7b"), kvBytesPerToken: undefined, kvHeads: undefined };
    assert.throws(() => kvCacheBytes(bare, 16), UserError);
  });
});

describe("cacheCopies", () => {
  it("has two of a model whose own code is older than the cache objects of transformers, there alone", () => {
    assert.equal(cacheCopies(model("qwen-7b"), "transformers"), 2);
    assert.equal(cacheCopies(model("qwen-7b"), "vllm"), 1);
    assert.equal(cacheCopies(model("qwen2.5-7b"), "transformers"), 1);
  });
});

describe("kvShare", () => {
  it("divides grouped heads as far as there are any", () => {
    const eight = model("llama-3.3-70b");
    assert.equal(kvShare(eight, { tensorParallel: 4, pipelineParallel: 1 }), 1 / 4);
    assert.equal(kvShare(eight, { tensorParallel: 16, pipelineParallel: 1 }), 1 / 8);
  });

  it("counts the heads of the layers that have fewer", () => {
    const gemma = model("gemma-4-31b");
    assert.equal(kvShare(gemma, { tensorParallel: 4, pipelineParallel: 1 }), 1 / 4);
    assert.equal(kvShare(gemma, { tensorParallel: 8, pipelineParallel: 1 }), 1 / 4);
  });

  it("keeps a latent cache whole, and divides it over pipeline stages", () => {
    const latent = model("deepseek-v3");
    assert.equal(kvShare(latent, { tensorParallel: 8, pipelineParallel: 1 }), 1);
    assert.equal(kvShare(latent, { tensorParallel: 8, pipelineParallel: 2 }), 31 / 61);
  });
});

describe("kvFormatFactor", () => {
  it("halves with fp8, and is 17 / 32 of 16 bit with q8_0", () => {
    assert.equal(kvFormatFactor("fp8"), 0.5);
    assert.equal(kvFormatFactor("q8_0"), 17 / 32);
  });
});
