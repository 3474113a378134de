import assert from "node:assert/strict";
import { findModel } from "../../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import {
  splitProblem,
  trainingSplitProblem,
  trainingSplits,
  validSplits,
} from "../../../components/sizing/splits.ts";

const catalogue = loadCatalogue();
const model = (id: string) => findModel(id, catalogue);

describe("splitProblem", () => {
  // Sizes that vLLM was reported to refuse: issues 5951, 11797, 414 and 596.
  for (const [id, size] of [
    ["phi-4", 4],
    ["phi-3-medium-4k", 8],
    ["qwen2.5-7b", 8],
    ["falcon-7b", 2],
    ["llama-2-13b", 3],
  ] as const) {
    it(`says why ${id} does not divide over ${size} GPUs`, () => {
      assert.match(splitProblem(model(id), "native", size) ?? "", /do not divide|neither divide/);
    });
  }

  it("agrees with the sizes that the catalogue has", () => {
    for (const row of catalogue.models) {
      if (row.task === "image-generation" || row.tensorParallelSizes === undefined) continue;
      const sizes = [1, 2, 4, 8].filter((n) => splitProblem(row, "native", n) === undefined);
      assert.deepEqual(sizes, row.tensorParallelSizes, row.id);
    }
  });

  it("keeps the groups of a quantised checkpoint whole", () => {
    // 29,568 columns: https://github.com/vllm-project/vllm/issues/2419 and the model card of Qwen2.5-72B-Instruct-AWQ.
    assert.match(splitProblem(model("qwen2.5-72b"), "int4", 8) ?? "", /groups of 128/);
    assert.equal(splitProblem(model("llama-3.3-70b"), "int4", 8), undefined);
  });
});

describe("validSplits", () => {
  it("has the fewest GPUs first, and tensor parallelism before stages", () => {
    assert.deepEqual(validSplits(model("qwen2.5-7b"), "native", 4), [
      { tensorParallel: 1, pipelineParallel: 1 },
      { tensorParallel: 2, pipelineParallel: 1 },
      { tensorParallel: 1, pipelineParallel: 2 },
      { tensorParallel: 1, pipelineParallel: 3 },
      { tensorParallel: 4, pipelineParallel: 1 },
      { tensorParallel: 2, pipelineParallel: 2 },
      { tensorParallel: 1, pipelineParallel: 4 },
    ]);
  });

  it("leaves an image model on one GPU", () => {
    assert.deepEqual(validSplits(model("flux.1-dev"), "native", 8), [
      { tensorParallel: 1, pipelineParallel: 1 },
    ]);
  });
});

describe("trainingSplits", () => {
  it("uses every GPU in every way, data parallelism first", () => {
    const splits = trainingSplits(8);
    assert.deepEqual(splits[0], { dataParallel: 8, tensorParallel: 1, pipelineParallel: 1 });
    for (const { dataParallel, tensorParallel, pipelineParallel } of splits) {
      assert.equal(dataParallel * tensorParallel * pipelineParallel, 8);
    }
    assert.equal(splits.length, 10);
  });

  it("says why a training cannot be split so", () => {
    const split = { dataParallel: 1, tensorParallel: 1, pipelineParallel: 3 };
    assert.match(trainingSplitProblem(model("llama-2-7b"), split) ?? "", /32 layers do not divide/);
  });
});
