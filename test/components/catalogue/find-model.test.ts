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
    ["llama2 7b", "llama-2-7b"],
    ["Llama 2 7B chat", "llama-2-7b-chat"],
    ["Falcon 40B instruct", "falcon-40b-instruct"],
    ["tiiuae/falcon-40b-instruct", "falcon-40b-instruct"],
    ["gpt neo 2.7B", "gpt-neo-2.7b"],
    ["Code Llama 34B", "codellama-34b"],
    ["starcoder", "starcoder-15.5b"],
    ["StarCoder2 15B", "starcoder2-15b"],
    ["Open Flamingo 9B", "openflamingo-9b"],
    ["MiniGPT-4 13b", "minigpt4-vicuna-13b"],
    ["sd xl", "stable-diffusion-xl-base-1.0"],
    ["SDXL", "stable-diffusion-xl-base-1.0"],
    ["stable diffusion 1.5", "stable-diffusion-1.5"],
    ["sd 3.5 large", "stable-diffusion-3.5-large"],
    ["FLUX.1 dev", "flux.1-dev"],
    ["bloom", "bloom-176b"],
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

  for (const [asked, near] of [
    ["mistral 7b", "mistral-7b-v0.1"],
    ["llama 27b", "llama-2-7b"],
    ["phi 3 mini", "phi-3-mini-4k"],
    ["TheBloke/Llama-2-7b-hf", "llama-2-7b"],
    ["granite 8b", "granite-4.1-8b"],
    ["stable diffusion", "stable-diffusion-1.5"],
    ["qwen3.5", "qwen3.5-2b, qwen3.5-4b, qwen3.5-9b"],
  ] as const) {
    it(`does not take "${asked}" for any, and names ${near}`, () => {
      assert.throws(
        () => findModel(asked, catalogue),
        (error) => error instanceof UserError && (error.hint ?? "").includes(near),
      );
    });
  }

  for (const asked of ["claude", "my-own-model", "x", "whisper", "acme/zephyr-7b-beta-AWQ"]) {
    it(`names none for "${asked}", which resembles nothing, and says how to look`, () => {
      assert.throws(
        () => findModel(asked, catalogue),
        ({ hint }: UserError) =>
          /^No name there resembles it: .*--family <word>.*--config <path>/.test(hint ?? ""),
      );
    });
  }

  for (const [asked, near] of [
    ["mistrall-large", /^Did you mean mistral/],
    ["stabel difusion 3", /^Did you mean stable-diffusion/],
    ["qwen 4 coder", /^Did you mean qwen2.5-coder/],
    ["gpt-9-ultra", /^Did you mean gpt-/],
  ] as const) {
    it(`names for "${asked}" none of another family`, () => {
      assert.throws(
        () => findModel(asked, catalogue),
        ({ hint = "" }: UserError) => {
          const told = hint.slice("Did you mean ".length, hint.indexOf("?")).split(", ");
          const first = told[0]?.split("-")[0]?.slice(0, 4) ?? "";
          return near.test(hint) && told.every((id) => id.startsWith(first));
        },
      );
    });
  }

  it("asks which is meant when two share a repository", () => {
    assert.throws(
      () => findModel("Vision-CAIR/MiniGPT-4", catalogue),
      (error) =>
        error instanceof UserError &&
        error.message.includes("fits more than one") &&
        (error.hint ?? "").includes("minigpt4-vicuna-7b, minigpt4-vicuna-13b"),
    );
  });

  it("gives a variant its own name and repository, and the shape of its model", () => {
    const model = findModel("falcon-40b", catalogue);
    const { id, huggingfaceRepo, parameters } = findModel("falcon 40b instruct", catalogue);
    assert.equal(id, "falcon-40b-instruct");
    assert.equal(huggingfaceRepo, "tiiuae/falcon-40b-instruct");
    assert.equal(parameters, model.parameters);
  });

  it("gives a variant the context that it was trained on, where that is another", () => {
    const contextOf = (name: string) => findModel(name, catalogue).maxContextTokens;
    assert.equal(contextOf("qwen3-30b-a3b"), 40960);
    assert.equal(contextOf("qwen3-30b-a3b-base"), 40960);
    assert.equal(contextOf("Qwen/Qwen3-30B-A3B-Instruct-2507"), 262144);
  });

  it("finds every alias and every variant, and each means one model", () => {
    for (const model of catalogue.models) {
      for (const alias of model.aliases ?? []) {
        assert.equal(findModel(alias, catalogue).id, model.id, alias);
      }
      for (const { id, huggingfaceRepo } of model.variants ?? []) {
        assert.equal(findModel(id, catalogue).huggingfaceRepo, huggingfaceRepo);
        assert.equal(findModel(huggingfaceRepo, catalogue).id, id);
      }
    }
  });

  it("finds every model by its id and by its repository", () => {
    for (const model of catalogue.models) {
      assert.equal(findModel(model.id, catalogue).id, model.id);
      if (model.huggingfaceRepo === undefined || model.family === "MiniGPT-4") continue;
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
