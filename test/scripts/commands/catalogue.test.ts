import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Model } from "../../../components/catalogue/model.ts";

// Imported as the commands import each other: mocha requires its test files, and a module that is both required and
// imported is there twice, with two UserErrors.
let cli: typeof import("../../../scripts/cli/run-berth.ts");

before(async () => {
  cli = await import("../../../scripts/cli/run-berth.ts");
});

async function berth(...words: readonly string[]) {
  let [out, err] = ["", ""];
  const sinks = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    interactive: false,
  };
  const code = await cli.runBerth(["catalogue", ...words], sinks);
  return { code, out, err };
}

async function listed(...words: readonly string[]): Promise<readonly Model[]> {
  const { out } = await berth(...words, "--json");
  return (JSON.parse(out) as { models: readonly Model[] }).models;
}

describe("berth catalogue", () => {
  it("lists every model under its task, and says which architecture that asks for", async () => {
    const { code, out } = await berth();
    assert.equal(code, 0);
    assert.match(out, /^image-generation: diffusion pipeline: /m);
    assert.match(out, /^code: decoder-only transformer/m);
    assert.match(out, /^multimodal: vision encoder/m);
    assert.match(out, /^llama-2-7b .* 6\.7 B .* fp16, llama2, gated$/m);
    assert.match(out, /^201 models; catalogue of 20\d\d-\d\d-\d\d$/m);
  });

  it("filters by task, family and size", async () => {
    const code = await listed("--task", "code", "--max-gib", "20");
    assert.ok(code.length > 3);
    assert.ok(code.every((model) => model.task === "code" && (model.weightsGiB ?? 99) <= 20));
    const families = await listed("--family", "stable diff");
    assert.deepEqual([...new Set(families.map(({ family }) => family))], ["Stable Diffusion"]);
  });

  it("shows a type with its price in each region, and says what is older than a year", async () => {
    const { code, out } = await berth("show", "ml.p5.48xlarge");
    assert.equal(code, 0);
    assert.match(out, /^type {7}p5\.48xlarge: 8 x H100-SXM5-80GB, 79\.\d GiB usable each$/m);
    assert.match(out, /^ {11}us-east-1 +on demand \$55\.0400 \(20\d\d-\d\d-\d\d/m);
    assert.match(out, /^ {11}ap-northeast-1 +on demand \$68\.8000 \(2026-08-26/m);
    assert.match(out, /^source {5}parallelcluster \(2024-10-21, older than a year\): github/m);
    assert.match(out, /^source {5}karpenter-pricing \(generated 2026-07-20\): github/m);
    const { sources } = JSON.parse((await berth("show", "p5.48xlarge", "--json")).out) as {
      sources: readonly { olderThanAYear: boolean }[];
    };
    assert.ok(sources.some(({ olderThanAYear }) => olderThanAYear));
  });

  it("refuses a task that there is none of, and a size that is no number", async () => {
    assert.equal((await berth("--task", "poetry")).code, 2);
    for (const size of ["-3", "NaN", "much", "0", ""]) {
      const { code, err } = await berth("--max-gib", size);
      assert.equal(code, 1, size);
      assert.match(err, /is no size/);
    }
  });

  it("names the nearest EC2 types, and the families, where there are none of that name", async () => {
    const type = await berth("show", "g6e.9xlarge");
    assert.equal(type.code, 1);
    assert.match(type.err, /The EC2 type "g6e\.9xlarge" is not .*\n.*Did you mean g6e\./);
    const family = await berth("--family", "lamma");
    assert.equal(family.code, 1);
    assert.match(family.err, /no family has "lamma" in its name\.\n.*There are Llama 2, /);
  });

  it("says where the licence of a model was read", async () => {
    const { out } = await berth("show", "kimi k3");
    assert.match(out, /^ {11}read in .*tokenizer-sources\.js pins \(autumn 2026/m);
    assert.match((await berth("show", "llama 1 7b")).out, /counts as gated, for no source says/);
  });

  it("shows one model with its licence and where its figures are from", async () => {
    const { out } = await berth("show", "sd xl");
    assert.match(
      out,
      /^model +stable-diffusion-xl-base-1\.0 \(https:\/\/huggingface\.co\/stabilityai\//,
    );
    assert.match(out, /^part +UNet: 2\.6 B$/m);
    assert.match(out, /^licence +openrail\+\+: commercial use on conditions$/m);
    assert.match(out, /^source +https:/m);
  });

  it("shows a model from its own files", async () => {
    const folder = mkdtempSync(join(tmpdir(), "berth-show-"));
    try {
      const config = {
        model_type: "llama",
        num_hidden_layers: 32,
        hidden_size: 4096,
        num_attention_heads: 32,
        intermediate_size: 11008,
        vocab_size: 32000,
        max_position_embeddings: 4096,
      };
      writeFileSync(join(folder, "config.json"), JSON.stringify(config));
      const { out } = await berth("show", "--config", folder);
      assert.match(
        out,
        /^size +6\.7 B parameters \(formula-from-config\); 12\.5513 GiB of files in bf16$/m,
      );
      assert.match(out, /^licence +not known, gating not known: commercial use not reviewed$/m);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("says what there is to do and to show", async () => {
    assert.match((await berth("shwo")).err, /There are list, show and refresh/);
    assert.match((await berth("show")).err, /No model is named/);
    assert.match((await berth("show", "lama 2 7b")).err, /Did you mean llama-2-7b/);
    assert.match((await berth("refresh", "--region", "moon")).err, /--region: "moon"/);
  });
});
