import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { samples } from "./finetune/samples.ts";
import { makeTree, Work } from "./finetune/work.ts";

describe("A fine-tuning of a tiny Llama on the CPU", function () {
  // The tree is made once: four minutes on two idle cores.
  this.timeout(30 * 60_000);
  let work: Work;

  before(async function () {
    const tree = await makeTree(this);
    work = new Work(tree, mkdtempSync(join(tmpdir(), "berth-finetune-")));
    await work.makeBase(samples());
    for (const [name, method] of [
      ["lora", "lora"],
      ["killed", "lora"],
      ["full", "full"],
    ] as const) {
      await generate(name, method);
    }
  });
  after(() => {
    work.close();
  });

  async function generate(name: string, method: string): Promise<void> {
    await work.finetune(
      name,
      ...["--method", method, "--sequence", "128"],
      ...["--validation", "0.1", "--tokenizer", work.path("base")],
    );
  }

  it("has the same pins as a folder that berth writes", () => {
    const wanted = readFileSync(work.path("lora/requirements.txt"), "utf8")
      .split("\n")
      .filter((line) => /^(?!torch)[\w-]+==/.test(line));
    const used = new Set(readFileSync(work.requirements, "utf8").split("\n"));
    assert.deepEqual(
      wanted.filter((line) => !used.has(line)),
      [],
    );
    assert.equal(wanted.length, 5);
  });

  // Dropout draws other numbers after a checkpoint at the end of an epoch, so that losses would be alike, and not equal.
  const exact = ["--lora_dropout", "0"];

  it("learns with adapters: loss falls, and the adapter is saved", async () => {
    await work.finish("lora", exact);
    const losses = work.losses("lora");
    assert.ok(losses.size >= 20, `${losses.size} steps`);
    assert.ok(losses.get(losses.size)! < losses.get(1)! - 0.3);
    const finished = work.json("lora/output/finished.json");
    assert.equal(finished["result"], "adapter");
    assert.ok(Number(finished["validationLoss"]) < losses.get(1)! - 0.3);
    assert.ok(existsSync(work.path("lora/output/adapter/adapter_model.safetensors")));
    // Finished is finished: the same command changes nothing.
    await work.finish("lora");
    assert.deepEqual(work.losses("lora"), losses);
  });

  it("goes on after kill -9 from the newest whole checkpoint, on the same curve", async () => {
    const often = [...exact, "--save_strategy", "steps", "--save_steps", "6"];
    await work.killWhen("killed", often, () =>
      existsSync(work.path("killed/output/checkpoint-6/whole")),
    );
    const before = [...work.losses("killed").keys()].length;
    assert.ok(before < 22, "it was killed before its end");
    // What a kill in the middle of writing leaves.
    mkdirSync(work.path("killed/output/checkpoint-14"));
    await work.finish("killed", often);
    assert.match(work.said, /going on from output\/checkpoint-(6|12|18)\b/);
    assert.match(work.said, /checkpoint-14 was cut off and is removed/);
    const [whole, resumed] = [work.losses("lora"), work.losses("killed")];
    assert.deepEqual([...resumed.keys()], [...whole.keys()]);
    for (const [step, loss] of whole) {
      const other = resumed.get(step)!;
      assert.ok(Math.abs(loss - other) < 1e-4, `step ${step}: ${loss} and ${other}`);
    }
  });

  it("ends in order on a signal, with 75 and a checkpoint, and goes on", async () => {
    await generate("stopped", "lora");
    const script =
      "cd /work/stopped; ./run.sh & job=$!; until [ -e /work/stopped/output/progress.jsonl ]; do sleep 0.1; done; " +
      "kill -TERM $job; wait $job";
    assert.equal(await work.inside("bash", "-c", script), 75);
    const steps = Math.max(...work.losses("stopped").keys());
    assert.ok(steps < 22);
    assert.ok(existsSync(work.path(`stopped/output/checkpoint-${steps}/whole`)));
    await work.finish("stopped");
    assert.match(work.said, new RegExp(`going on from output/checkpoint-${steps}`));
  });

  it("puts the adapter into the base model, which then answers the same", async () => {
    assert.equal(
      await work.inside("bash", "-c", "cd /work/lora && python3 merge.py --dtype float32"),
      0,
    );
    await work.python(
      ...["compare.py", "/work/base", "/work/lora/output/adapter", "/work/lora/output/model"],
      "Ask 3: what colour has the apple?",
    );
    const facts = JSON.parse(work.said.trim().split("\n").at(-1)!) as Record<string, unknown>;
    assert.equal(facts["merged"], facts["adapter"]);
    assert.ok(Number(facts["difference"]) < 1e-3);
    assert.ok(Number(facts["learnt"]) > 0.1);
  });

  it("learns with every weight, on two processes that share each step", async () => {
    const settings = parse(readFileSync(work.path("full/training.yaml"), "utf8")) as object;
    assert.ok(!("lora_rank" in settings));
    // Without them accelerate takes processes without a GPU for ones that do not know each other, or Debian's MPI.
    const half = [
      "--per_device_train_batch_size",
      "8",
      "--use_cpu",
      "true",
      "--ddp_backend",
      "gloo",
    ];
    await work.finish("full", half, { GPUS: "2" });
    const losses = work.losses("full");
    assert.equal(losses.size, work.losses("lora").size);
    assert.ok(losses.get(losses.size)! < losses.get(1)! / 2);
    assert.ok(existsSync(work.path("full/output/model/model.safetensors")));
  });
});
