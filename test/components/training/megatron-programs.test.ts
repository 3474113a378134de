import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { motoPython } from "../../../offline/cloud/moto/environment.ts";
import { megatronStandIn, writeMegatronFolder } from "./megatron/megatron-folder.ts";

/** The folder's own programs run, on the CPU; what they call is held to the pinned release's names. */
describe("The programs of a Megatron-LM folder", () => {
  let python: string;
  let folder: string;
  before(async () => {
    python = await motoPython(() => undefined);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "berth-megatron-"));
    write("full");
  });

  function write(method: "full" | "lora"): void {
    writeMegatronFolder(folder, { method });
    for (const name of ["output", "base"]) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, "base/LICENSE"), "Do as you like.\n");
  }
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function run(...words: readonly string[]) {
    // Nothing is compiled into the folder of the stand-in, which is the checkout's.
    const own = { PYTHONPATH: megatronStandIn, PYTHONDONTWRITEBYTECODE: "1" };
    const env = { ...process.env, ...own, BASE_MODEL: join(folder, "base") };
    return spawnSync(python, words, { cwd: folder, encoding: "utf8", env });
  }
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  const steps = () =>
    read("output/progress.jsonl")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { step: number; loss?: number; checkpoint?: number });

  it("bring the base model in, train, tell each step, and give a model with its card", () => {
    assert.equal(run("convert_megatron.py", "import").status, 0);
    assert.equal(read("output/base/imported"), join(folder, "base"));
    const { status, stderr } = run("train_megatron.py");
    assert.equal(status, 0, stderr);
    assert.ok(existsSync(join(folder, "data/training.jsonl")));
    const losses = steps().flatMap(({ step, loss }) => (loss === undefined ? [] : [step]));
    assert.deepEqual(losses, [1, 2, 3, 4, 5, 6]);
    assert.equal(read("output/checkpoints/iter_0000006/whole"), "6\n");
    assert.equal(run("convert_megatron.py", "export").status, 0);
    assert.equal(read("output/model/model.safetensors"), "weights of 6");
    assert.deepEqual(JSON.parse(read("output/finished.json")), { step: 6, result: "model" });
    assert.match(read("output/model/README.md"), /full, 6 steps on 9 samples/);
    assert.equal(read("output/model/LICENSE"), "Do as you like.\n");
    assert.match(run("train_megatron.py").stdout, /It is trained/);
  });

  it("give adapters that merge.py can put into the base model", () => {
    write("lora");
    assert.equal(run("convert_megatron.py", "import").status, 0);
    assert.equal(run("train_megatron.py").status, 0);
    assert.equal(run("convert_megatron.py", "export").status, 0);
    assert.deepEqual(JSON.parse(read("output/finished.json")), { step: 6, result: "adapter" });
    assert.equal(read("output/adapter/adapter_model.safetensors"), "weights of 6");
    assert.equal(read("output/adapter/tokenizer.json"), "{}");
    const facts = JSON.parse(read("output/adapter/provenance.json")) as Record<string, unknown>;
    const sha256 = createHash("sha256").update("weights of 6").digest("hex");
    assert.equal(facts["adapterSha256"], sha256);
    assert.ok(existsSync(join(folder, "merge.py")));
  });

  it("end with a checkpoint where they are asked to, and go on from it", () => {
    assert.equal(run("convert_megatron.py", "import").status, 0);
    writeFileSync(join(folder, "output/stop"), "");
    assert.equal(run("train_megatron.py").status, 0);
    assert.deepEqual(
      steps().map(({ step, checkpoint }) => checkpoint ?? `step ${step}`),
      ["step 1", 1],
    );
    assert.ok(!existsSync(join(folder, "output/trained.json")));
    rmSync(join(folder, "output/stop"));
    assert.match(run("train_megatron.py").stdout, /from step 1/);
    assert.deepEqual(JSON.parse(read("output/trained.json")), { step: 6 });
  });

  it("refuse a name that the release does not have", () => {
    const settings = read("megatron.yaml");
    writeFileSync(join(folder, "megatron.yaml"), settings.replace("seq_length:", "sequence:"));
    assert.match(run("train_megatron.py").stderr, /GPTModelProvider has no sequence/);
    writeFileSync(join(folder, "megatron.yaml"), settings.replace("num_epochs:", "epochs:"));
    assert.match(run("train_megatron.py").stderr, /TrainingConfig: unexpected \['epochs'\]/);
  });
});
