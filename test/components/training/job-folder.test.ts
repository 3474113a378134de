import assert from "node:assert/strict";
import { parse } from "yaml";
import { loadShippedCatalogue } from "../../../components/catalogue/load.ts";
import { decide } from "../../../components/sizing/decide.ts";
import type { PlanRequest } from "../../../components/sizing/plan-request.ts";
import { trainingDemand } from "../../../components/sizing/training-demand.ts";
import { softwareStack } from "../../../components/sizing/software-stack.ts";
import { finetunePlan, type FinetuneWishes } from "../../../components/training/finetune-plan.ts";
import { jobFolder } from "../../../components/training/job-folder.ts";
import { requirementsText } from "../../../components/training/software-pins.ts";
import { UserError } from "../../../components/user-error.ts";

const catalogue = loadShippedCatalogue();
const data = { trainSamples: 9500, validationSamples: 500 };
const programs = {
  "hosts.py": "hosts",
  "train.py": "train",
  "merge.py": "merge",
  "card.py": "card",
  "train_megatron.py": "train by Megatron-LM",
  "convert_megatron.py": "convert",
};

function planFor(change: Partial<PlanRequest> = {}, wishes: Partial<FinetuneWishes> = {}) {
  const request: PlanRequest = {
    model: "llama-3.1-8b",
    env: "prod",
    region: "us-east-1",
    spot: false,
    leaseHours: undefined,
    task: "finetune",
    ...change,
  };
  return finetunePlan(decide(request, catalogue), { fixedMicroBatch: false, ...wishes }, catalogue);
}

function filesFor(...given: Parameters<typeof planFor>) {
  const files = jobFolder(planFor(...given), data, programs);
  const text = (path: string) => files.find((file) => file.path === path)?.text ?? "";
  const settings = parse(text("training.yaml")) as Record<string, unknown>;
  const json = (path: string) => JSON.parse(text(path)) as Record<string, unknown>;
  return { files, text, settings, json, paths: files.map(({ path }) => path) };
}

describe("jobFolder", () => {
  it("writes the same bytes for the same plan", () => {
    const request = { model: "qwen2.5-7b", training: { method: "qlora" } };
    assert.deepEqual(filesFor(request).files, filesFor(request).files);
  });

  it("makes one step of the batch that was asked, whatever the passes are", () => {
    for (const globalBatch of [1, 7, 16, 64]) {
      const { settings, json } = filesFor({}, { globalBatch });
      const micro = Number(settings["per_device_train_batch_size"]);
      const passes = Number(settings["gradient_accumulation_steps"]);
      const { worldSize } = json("job.json")["batch"] as { worldSize: number };
      const step = micro * passes * worldSize;
      assert.ok(step >= globalBatch && step < globalBatch + micro * worldSize);
    }
  });

  it("grows the micro batch only as far as the GPU holds it, and never one that was named", () => {
    const plan = planFor(
      { model: "qwen2.5-3b", gpuFamilies: ["L4"], gpuCount: 1 },
      { globalBatch: 64 },
    );
    const split = { dataParallel: 1, tensorParallel: 1, pipelineParallel: 1 };
    const { model } = decide(
      { model: "qwen2.5-3b", env: "x", region: "us-east-1", spot: false, leaseHours: undefined },
      catalogue,
    );
    const needed = trainingDemand(model, { ...plan.workload, packing: true }, split).highMiB;
    assert.ok(plan.batch.microBatch > 1);
    assert.ok(needed <= plan.memory.usableMiB);
    assert.equal(planFor({}, { fixedMicroBatch: true }).batch.microBatch, 1);
  });

  it("holds frozen weights and adapters in 16 bit for LoRA, and 32-bit masters for full", () => {
    const lora = filesFor().settings;
    assert.deepEqual([lora["weights_dtype"], lora["adapter_dtype"]], ["bfloat16", "bfloat16"]);
    const full = filesFor({ training: { method: "full" }, gpuCount: 8 });
    assert.equal(full.settings["weights_dtype"], "float32");
    assert.equal(full.settings["bf16"], true);
    assert.equal(full.settings["lora_rank"], undefined);
    assert.ok(!full.paths.includes("merge.py"));
  });

  it("gives a GPU without bf16 fp16 and adapters in 32 bit, since fp16 alone does not learn", () => {
    const { settings, text } = filesFor({
      model: "qwen2.5-1.5b",
      gpuFamilies: ["T4"],
      gpuCount: 1,
      training: { sequenceTokens: 512 },
    });
    assert.deepEqual(
      [settings["weights_dtype"], settings["adapter_dtype"], settings["fp16"], settings["bf16"]],
      ["float16", "float32", true, false],
    );
    assert.match(text("requirements.txt"), /^torch==2\.14\.1$/m);
    assert.throws(
      () =>
        planFor({
          model: "qwen2.5-0.5b",
          gpuFamilies: ["T4"],
          training: { method: "full", precision: "bf16", sequenceTokens: 256 },
        }),
      UserError,
    );
  });

  it("shards by FSDP 2 over several GPUs, and leaves making activations again to it", () => {
    const { settings, json } = filesFor({ training: { method: "full" }, gpuCount: 8 });
    assert.deepEqual([settings["fsdp"], settings["fsdp_config"]], [true, "fsdp.json"]);
    assert.equal(settings["gradient_checkpointing"], false);
    const fsdp = json("fsdp.json");
    assert.deepEqual([fsdp["version"], fsdp["activation_checkpointing"]], [2, true]);
    assert.equal(fsdp["cpu_offload"], false);
  });

  for (const stage of [1, 2, 3]) {
    it(`writes DeepSpeed's settings for ZeRO ${stage}, with what lies on the host`, () => {
      const training = { method: "full", sharding: `zero-${stage}`, offload: "optimizer" };
      const { settings, json, text } = filesFor({ training, gpuCount: 8 });
      assert.equal(settings["deepspeed"], "deepspeed.json");
      assert.match(text("requirements.txt"), /^deepspeed==/m);
      const zero = json("deepspeed.json")["zero_optimization"] as Record<string, unknown>;
      assert.equal(zero["stage"], stage);
      assert.deepEqual(zero["offload_optimizer"], { device: "cpu", pin_memory: true });
      assert.equal(zero["offload_param"], undefined);
    });
  }

  it("asks for bitsandbytes where weights or moments are of few bits, and only there", () => {
    const wanted = (training: PlanRequest["training"]) =>
      /^bitsandbytes==/m.test(filesFor({ training }).text("requirements.txt"));
    assert.equal(wanted({ method: "lora" }), false);
    assert.equal(wanted({ method: "qlora" }), true);
    assert.equal(wanted({ method: "lora", optimizer: "adamw-8bit" }), true);
    assert.equal(
      filesFor({ training: { method: "qlora" } }).settings["quantisation"],
      "nf4-double",
    );
  });

  it("writes small numbers so that YAML 1.1 reads numbers", () => {
    for (const learningRate of [1e-5, 2.5e-7, 3e-4]) {
      const { text } = filesFor({}, { learningRate });
      const written = /^learning_rate: (.*)$/m.exec(text("training.yaml"))?.[1] ?? "";
      assert.equal(Number(written), learningRate);
      // PyYAML's own pattern of a float.
      assert.match(written, /^[-+]?\d[\d_]*\.\d*(?:e[-+]\d+)?$/);
    }
  });

  it("leaves validation out where no sample is kept for it", () => {
    const files = jobFolder(planFor(), { ...data, validationSamples: 0 }, programs);
    const settings = files.find(({ path }) => path === "training.yaml")?.text ?? "";
    assert.doesNotMatch(settings, /validation_file|eval_strategy/);
  });

  it("wants to know where a model lies that has no repository", () => {
    const { model } = decide(
      { model: "qwen2.5-0.5b", env: "x", region: "us-east-1", spot: false, leaseHours: undefined },
      catalogue,
    );
    const customModel = { ...model, huggingfaceRepo: undefined };
    assert.throws(() => planFor({ customModel }), /no Hugging Face repository/);
    assert.equal(planFor({ customModel }, { baseModel: "/data/x" }).baseModel, "/data/x");
  });
});

describe("requirementsText", () => {
  it("has a pin for every GPU of the catalogue", () => {
    for (const accelerator of catalogue.accelerators) {
      const software = softwareStack(accelerator, catalogue);
      if (software === undefined) continue;
      const text = requirementsText(software, { bitsandbytes: false, deepspeed: false });
      assert.match(text, /^torch==\d+\.\d+\.\d+(?:\+cu\d+)?$/m, accelerator.model);
    }
  });

  it("takes a build that is not PyPI's own from PyTorch's index", () => {
    const software = { pytorch: "2.14", cuda: "12.6", minLinuxDriver: undefined };
    const text = requirementsText(software, { bitsandbytes: false, deepspeed: false });
    assert.match(text, /^--extra-index-url https:\/\/download\.pytorch\.org\/whl\/cu126$/m);
    assert.match(text, /^torch==2\.14\.1\+cu126$/m);
  });
});
