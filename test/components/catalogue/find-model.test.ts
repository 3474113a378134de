import assert from "node:assert/strict";
import fc from "fast-check";
import { editDistance, findModel } from "../../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { UserError } from "../../../components/user-error.ts";

const catalogue = loadCatalogue();

describe("findModel", () => {
  for (const [asked, id] of [
    ["llama-2-7b", "llama-2-7b"],
    ["meta-llama/Llama-2-7b-hf", "llama-2-7b"],
    ["Llama2 7B", "llama-2-7b"],
    ["QWEN2.5_7B", "qwen2.5-7b"],
    ["Qwen2.5-7B-Instruct", "qwen2.5-7b"],
    ["mistralai/Mistral-7B-v0.1", "mistral-7b-v0.1"],
  ] as const) {
    it(`takes "${asked}" for ${id}`, () => {
      assert.equal(findModel(asked, catalogue).id, id);
    });
  }

  it("names the nearest when there is none", () => {
    assert.throws(
      () => findModel("lama-2-7b", catalogue),
      (error) =>
        error instanceof UserError && (error.hint ?? "").includes("Did you mean llama-2-7b"),
    );
  });

  it("finds every model by its id and by its repository", () => {
    for (const model of catalogue.models) {
      assert.equal(findModel(model.id, catalogue).id, model.id);
      if (model.huggingfaceRepo === undefined) continue;
      const { huggingfaceRepo } = findModel(model.huggingfaceRepo, catalogue);
      assert.equal(huggingfaceRepo, model.huggingfaceRepo);
    }
  });

  it("answers any text with a model or a UserError", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (text) => {
        try {
          return findModel(text, catalogue).id !== "";
        } catch (error) {
          return error instanceof UserError;
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("editDistance", () => {
  it("counts insertions, deletions and changes", () => {
    assert.equal(editDistance("kitten", "sitting"), 3);
    assert.equal(editDistance("", "abc"), 3);
    assert.equal(editDistance("abc", "abc"), 0);
  });

  it("is symmetric", () => {
    const short = fc.string({ maxLength: 12 });
    fc.assert(fc.property(short, short, (a, b) => editDistance(a, b) === editDistance(b, a)));
  });
});
