import assert from "node:assert/strict";
import {
  adapterProblems,
  parseAdapterConfig,
  reservedRank,
  storedAdapters,
} from "../../../components/model-server/adapters.ts";
import { parseSettings } from "../../../stacks/settings.ts";
import { UserError } from "../../../components/user-error.ts";
import { goodConfig } from "../../support/builders.ts";

const config = { peft_type: "LORA", r: 16, base_model_name_or_path: "o/m", bias: "none" };
const problemsOf = (change: object) =>
  adapterProblems(parseAdapterConfig(JSON.stringify({ ...config, ...change }))!);

describe("An adapter beside a model", () => {
  it("is known by name and prefix", () => {
    const entry = "acme-support=adapters/llama-3.1-8b/acme-support/3f2a91c0/";
    assert.deepEqual(storedAdapters([entry]), [
      { name: "acme-support", prefix: "adapters/llama-3.1-8b/acme-support/3f2a91c0/" },
    ]);
  });

  it("is refused for what vLLM cannot compute with, all of it at once", () => {
    assert.deepEqual(problemsOf({}), []);
    assert.deepEqual(problemsOf({ modules_to_save: [], use_dora: false, bias: null }), []);
    const all = problemsOf({
      ...{ peft_type: "IA3", use_dora: true, bias: "all", modules_to_save: ["lm_head"], r: 1024 },
    });
    assert.equal(all.length, 5);
    assert.match(all.join("\n"), /IA3[^]*DoRA[^]*biases[^]*lm_head[^]*rank is 1024, and 512/);
    assert.equal(parseAdapterConfig("{}"), undefined);
    assert.equal(parseAdapterConfig("no JSON"), undefined);
  });

  it("takes the next rank that memory can be reserved for", () => {
    assert.deepEqual([1, 16, 17, 257, 512, 513].map(reservedRank), [
      8,
      16,
      32,
      320,
      512,
      undefined,
    ]);
  });

  it("is written in a stack's file as name=prefix/, each name once", () => {
    const read = (adapters: unknown, rank: unknown = 16) =>
      parseSettings({
        stack: "dev",
        config: { ...goodConfig, "berth:adapters": adapters, "berth:adapterRank": rank },
      });
    const settings = read("a=x/y/, b=z/", "64");
    assert.ok(settings.target === "ec2");
    assert.deepEqual([settings.adapters, settings.adapterRank], [["a=x/y/", "b=z/"], 64]);
    for (const wrong of ["a", "a=x", "a=/x/", "A=x/", "a=x/, a=y/", "a=x*/"]) {
      assert.throws(
        () => read(wrong),
        (error) => error instanceof UserError && error.problems.join().includes("adapters"),
        wrong,
      );
    }
    assert.throws(
      () => read("a=x/", 24),
      (error) => error instanceof UserError && error.problems.join().includes("one of 8, 16, 32"),
    );
  });
});
