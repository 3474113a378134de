import assert from "node:assert/strict";
import { modelFromFiles } from "../../../../components/catalogue/from-config/model-from-files.ts";
import { loadCatalogue } from "../../../../components/catalogue/load.ts";
import type { Model } from "../../../../components/catalogue/model.ts";
import { configOfRow } from "./config-of-row.ts";

const { models } = loadCatalogue();
const exact = models.filter(
  ({ parametersBasis, task }) =>
    parametersBasis === "exact-from-config" && task !== "image-generation",
);

function drawn(model: Model): Model {
  const config = configOfRow(model);
  assert.ok(config !== undefined, `${model.architecture} has no model_type here`);
  return modelFromFiles({ kind: "transformers", place: "config.json", name: model.id, config });
}

describe("the parameters that a configuration gives", () => {
  it("are those of every row that was counted exactly", () => {
    assert.ok(exact.length >= 116, `${exact.length} rows`);
    const wrong = exact
      .map((model) => ({ id: model.id, row: model.parameters, formula: drawn(model).parameters }))
      .filter(({ row, formula }) => row !== formula);
    assert.deepEqual(wrong, []);
  });

  it("give the cache of every such row", () => {
    for (const model of exact) {
      const {
        kvBytesPerToken,
        kvLocalBytesPerToken,
        kvGlobalLayers,
        kvLocalLayers,
        stateBytesPerSequence,
      } = drawn(model);
      assert.deepEqual(
        { kvBytesPerToken, kvLocalBytesPerToken, kvGlobalLayers, kvLocalLayers },
        {
          kvBytesPerToken: model.kvBytesPerToken,
          kvLocalBytesPerToken: model.kvLocalBytesPerToken,
          kvGlobalLayers: model.kvGlobalLayers,
          kvLocalLayers: model.kvLocalLayers,
        },
        model.id,
      );
      if (model.stateBytesPerSequence !== undefined) {
        assert.equal(stateBytesPerSequence, model.stateBytesPerSequence, model.id);
      }
    }
  });

  it("give the tensor-parallel sizes and the kind of attention of every such row", () => {
    // The demo's model is held to one GPU by its engine.
    for (const model of exact.filter(({ engine }) => engine !== "llama.cpp")) {
      const { tensorParallelSizes, kvType } = drawn(model);
      assert.deepEqual(
        { tensorParallelSizes, kvType },
        { tensorParallelSizes: model.tensorParallelSizes, kvType: model.kvType },
        model.id,
      );
    }
  });

  it("give the size of the files within 1 %, unless they hold more than the model", () => {
    // A second copy of the embedding, and a layer for token prediction.
    const more = ["falcon-7b", "deepseek-v3", "deepseek-v3-0324", "deepseek-r1"];
    const rows = exact.filter(({ id }) => !more.includes(id));
    const far = rows.flatMap((model) => {
      const { weightsGiB = 0 } = drawn(model);
      const off = model.weightsGiB === undefined ? 0 : weightsGiB / model.weightsGiB - 1;
      return Math.abs(off) > 0.01
        ? [`${model.id}: ${weightsGiB} for ${String(model.weightsGiB)}`]
        : [];
    });
    assert.deepEqual(far, []);
  });
});
