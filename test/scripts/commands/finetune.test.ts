import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Imported as the commands import each other; a required copy would have a UserError of its own.
let cli: typeof import("../../../scripts/cli/run-berth.ts");
let folder: string;
before(async () => {
  cli = await import("../../../scripts/cli/run-berth.ts");
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "berth-finetune-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function berth(...words: readonly string[]) {
  let out = "";
  const sinks = {
    out: (text: string) => (out += text),
    err: (text: string) => (out += text),
    interactive: false,
  };
  const code = await cli.runBerth(words, sinks);
  return { code, out };
}

function data(lines = 40): string {
  const path = join(folder, "data.jsonl");
  const samples = Array.from({ length: lines }, (_, i) =>
    JSON.stringify({ prompt: `What is ${i} and ${i * 7}?`, completion: `It is ${i * 8}.` }),
  );
  writeFileSync(path, `${samples.join("\n")}\n`);
  return path;
}

describe("berth finetune", () => {
  const model = "qwen2.5-0.5b";

  it("writes a folder that a person can read and run, and the same one again", async () => {
    const out = join(folder, "job");
    const words = ["finetune", model, "--data", data(), "--out", out, "--validation", "0.2"];
    const first = await berth(...words);
    assert.equal(first.code, 0, first.out);
    assert.match(first.out, /^batch {6}\d+ x \d+ passes x 1 GPU = 16 sequences/m);
    assert.equal(statSync(join(out, "run.sh")).mode & 0o111, 0o111);
    const { status, stderr } = spawnSync("bash", ["-n", join(out, "run.sh")], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    const train = readFileSync(join(out, "data/train.jsonl"), "utf8").trimEnd().split("\n");
    const kept = readFileSync(join(out, "data/validation.jsonl"), "utf8").trimEnd().split("\n");
    assert.equal(train.length + kept.length, 40);
    const before = readFileSync(join(out, "job.json"), "utf8");
    assert.equal((await berth(...words)).code, 0);
    assert.equal(readFileSync(join(out, "job.json"), "utf8"), before);
  });

  it("does not replace what somebody changed, unless it is told to", async () => {
    const out = join(folder, "job");
    const words = ["finetune", model, "--data", data(), "--out", out];
    assert.equal((await berth(...words)).code, 0);
    writeFileSync(join(out, "training.yaml"), "mine: true\n");
    const refused = await berth(...words, "--epochs", "5");
    assert.equal(refused.code, 1);
    assert.match(refused.out, /training\.yaml would change/);
    assert.equal(readFileSync(join(out, "training.yaml"), "utf8"), "mine: true\n");
    assert.equal(existsSync(join(out, "data/train.jsonl.part")), false);
    assert.equal((await berth(...words, "--epochs", "5", "--force")).code, 0);
    assert.match(readFileSync(join(out, "training.yaml"), "utf8"), /^num_train_epochs: 5$/m);
  });

  it("says that a folder cannot be made, and how to name another", async () => {
    const file = join(folder, "a-file");
    writeFileSync(file, "");
    const { code, out } = await berth(
      "finetune",
      model,
      "--data",
      data(),
      "--out",
      join(file, "in-it"),
    );
    assert.equal(code, 1);
    assert.match(out, /cannot be made: .*\n.*--out/);
  });

  it("leaves nothing behind when the data cannot be used", async () => {
    const path = join(folder, "bad.jsonl");
    writeFileSync(path, '{"prompt": "a", "completion": "b"}\n{"prompt": }\n');
    const out = join(folder, "job");
    const { code, out: said } = await berth("finetune", model, "--data", path, "--out", out);
    assert.equal(code, 1);
    assert.match(said, /line 2: is no JSON/);
    assert.equal(existsSync(out), false);
  });

  it("begins again where a kill left half of the data", async () => {
    const out = join(folder, "job");
    mkdirSync(join(out, "data"), { recursive: true });
    writeFileSync(join(out, "data/train.jsonl.part"), "half a li");
    assert.equal((await berth("finetune", model, "--data", data(), "--out", out)).code, 0);
    assert.deepEqual(readdirSync(join(out, "data")), ["train.jsonl"]);
  });

  it("keeps out of a folder that is somebody else's", async () => {
    const { code, out } = await berth("finetune", model, "--data", data(), "--out", folder);
    assert.equal(code, 1);
    assert.match(out, /is no folder of a fine-tuning/);
  });

  it("names every wrong flag at once, and what nothing holds before the data are read", async () => {
    const wrong = await berth(
      ...["finetune", model, "--data", data(), "--validation", "2", "--learning-rate", "x"],
      ...["--global-batch", "0"],
    );
    assert.equal(wrong.code, 1);
    for (const flag of ["validation", "learning-rate", "global-batch"]) {
      assert.match(wrong.out, new RegExp(`--${flag}:`));
    }
    const large = await berth(
      ...["finetune", "llama-3.1-405b", "--data", data(), "--method", "full"],
      ...["--env", "prod", "--nodes", "1", "--out", join(folder, "job")],
    );
    assert.equal(large.code, 1);
    assert.match(large.out, /No instance type holds a fine-tuning of llama-3\.1-405b/);
    assert.equal(existsSync(join(folder, "job")), false);
  });

  it("writes no program for an image model, and says what sizes its training", async () => {
    const job = join(folder, "job");
    const { code, out } = await berth("finetune", "sdxl", "--data", data(), "--out", job);
    assert.equal(code, 1);
    assert.match(out, /no training program for stable-diffusion-xl-base-1\.0/);
    assert.match(out, /berth plan stable-diffusion-xl-base-1\.0 --task finetune/);
    assert.equal(existsSync(job), false);
  });

  it("writes a folder of Megatron-LM for what no single host holds", async () => {
    const several = await berth(
      ...["finetune", "llama-3.1-405b", "--data", data(), "--method", "full"],
      ...["--env", "prod", "--types", "p5.48xlarge", "--out", join(folder, "large")],
    );
    assert.equal(several.code, 0, several.out);
    assert.match(several.out, /^machine {4}16 x p5\.48xlarge/m);
    const settings = readFileSync(join(folder, "large", "megatron.yaml"), "utf8");
    assert.match(settings, /^samples: prompt-completion$/m);
    assert.ok(existsSync(join(folder, "large", "train_megatron.py")));
  });
});

describe("berth dataset check", () => {
  it("ends with 1 for data that cannot be trained on, and writes the parts of data that can", async () => {
    const bad = join(folder, "bad.jsonl");
    writeFileSync(bad, "{\n");
    assert.equal((await berth("dataset", "check", bad)).code, 1);
    const parts = join(folder, "parts");
    const good = await berth("dataset", "check", data(), "--out", parts, "--json");
    assert.equal(good.code, 0);
    assert.equal(readFileSync(join(parts, "train.jsonl"), "utf8").split("\n").length, 41);
  });

  it("says what it takes when it is asked for something else", async () => {
    assert.equal((await berth("dataset", "look", "x")).code, 1);
    assert.match(
      (await berth("dataset", "check", join(folder, "none.jsonl"))).out,
      /cannot be read/,
    );
    assert.match((await berth("dataset", "check", join(folder, "data.csv"))).out, /\.jsonl/);
  });
});
