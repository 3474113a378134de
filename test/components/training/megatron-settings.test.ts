import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { loadShippedCatalogue } from "../../../components/catalogue/load.ts";
import { decide } from "../../../components/sizing/decide.ts";
import type { PlanRequest } from "../../../components/sizing/plan-request.ts";
import { finetunePlan } from "../../../components/training/finetune-plan.ts";
import { jobFolder } from "../../../components/training/job-folder.ts";
import { megatronRequirements } from "../../../components/training/software-pins.ts";
import { UserError } from "../../../components/user-error.ts";

interface Recorded {
  readonly wheels: Readonly<Record<string, string>>;
  readonly sections: Readonly<Record<string, { readonly fields: readonly string[] }>>;
}

const recorded = JSON.parse(
  readFileSync(new URL("megatron/fields.json", import.meta.url), "utf8"),
) as Recorded;
const catalogue = loadShippedCatalogue();
const programs = {
  "hosts.py": "hosts",
  "train.py": "train",
  "merge.py": "merge",
  "card.py": "card",
  "train_megatron.py": "train by Megatron-LM",
  "convert_megatron.py": "convert",
};

function planFor(change: Partial<PlanRequest>) {
  const request: PlanRequest = {
    model: "llama-3.1-70b",
    env: "prod",
    region: "us-east-1",
    spot: false,
    leaseHours: undefined,
    task: "finetune",
    training: { method: "full", framework: "megatron" },
    ...change,
  };
  return finetunePlan(decide(request, catalogue), { fixedMicroBatch: false }, catalogue);
}

function filesFor(change: Partial<PlanRequest>, schema = "messages", validationSamples = 29) {
  const data = { trainSamples: 271, validationSamples, schema };
  const files = jobFolder(planFor(change), data, programs);
  return new Map(files.map(({ path, text }) => [path, text]));
}

type Section = Readonly<Record<string, unknown>>;

function settingsOf(files: ReadonlyMap<string, string>): Readonly<Record<string, Section>> {
  return parse(files.get("megatron.yaml") ?? "") as Readonly<Record<string, Section>>;
}

const own = ["base_model", "samples", "mixed_precision"];

const longSequences: Partial<PlanRequest> = {
  instanceTypes: ["p5.48xlarge"],
  nodes: { least: 16, most: 16 },
  training: { method: "full", framework: "megatron", sequenceTokens: 32_768, contextParallel: 4 },
};
const mixture: Partial<PlanRequest> = {
  model: "qwen3-30b-a3b",
  instanceTypes: ["p5.48xlarge"],
  training: { method: "full", framework: "megatron", expertParallel: 8 },
};
const adapters: Partial<PlanRequest> = {
  instanceTypes: ["p5.48xlarge"],
  training: { method: "lora", framework: "megatron" },
};

describe("A folder of Megatron-LM", () => {
  // With and without interleaving, tables as layers, activations made again, and validation.
  for (const [name, change, validation] of [
    ["70B over 4 hosts", { instanceTypes: ["p5.48xlarge"] }, 29],
    ["405B over 16 hosts", { model: "llama-3.1-405b", instanceTypes: ["p5.48xlarge"] }, 0],
    ["70B on one host", { instanceTypes: ["p6-b300.48xlarge"] }, 29],
    ["long sequences", longSequences, 29],
    ["a mixture of experts", mixture, 29],
    ["adapters", adapters, 29],
  ] as const) {
    it(`says of ${name} nothing that the pinned release does not have`, () => {
      const settings = settingsOf(filesFor(change, "messages", validation));
      for (const [section, fields] of Object.entries(settings)) {
        if (own.includes(section)) continue;
        const known = new Set(recorded.sections[section]?.fields);
        const unknown = Object.keys(fields).filter((field) => !known.has(field));
        assert.deepEqual(unknown, [], section);
      }
      const missing = Object.keys(recorded.sections).filter((section) => !(section in settings));
      assert.deepEqual(missing, name === "adapters" ? [] : ["peft"]);
    });
  }

  it("lays the model out as the plan did", () => {
    const plan = planFor({ model: "llama-3.1-405b", instanceTypes: ["p5.48xlarge"] });
    const files = filesFor({ model: "llama-3.1-405b", instanceTypes: ["p5.48xlarge"] });
    const { model = {}, train = {} } = settingsOf(files);
    const { tensorParallel, pipelineParallel, dataParallel, virtualStages } = plan.layout;
    assert.deepEqual(
      [model["tensor_model_parallel_size"], model["pipeline_model_parallel_size"]],
      [tensorParallel, pipelineParallel],
    );
    assert.equal(model["virtual_pipeline_model_parallel_size"] ?? 1, virtualStages);
    assert.equal(model["account_for_embedding_in_pipeline_split"], true);
    assert.equal(model["recompute_granularity"] === "full", plan.workload.gradientCheckpointing);
    const { microBatch, gradientAccumulation } = plan.batch;
    assert.equal(train["global_batch_size"], microBatch * gradientAccumulation * dataParallel);
    assert.equal(
      tensorParallel * pipelineParallel * dataParallel,
      plan.machine.nodes * plan.machine.gpuCount,
    );
  });

  it("shares out sequences and experts as the plan did, and has adapters where they learn", () => {
    const long = settingsOf(filesFor(longSequences));
    assert.equal(long["model"]?.["context_parallel_size"], 4);
    assert.equal(long["model"]["calculate_per_token_loss"], true);
    assert.equal(long["ddp"]?.["average_in_collective"], false);
    const experts = settingsOf(filesFor(mixture));
    assert.equal(experts["model"]?.["expert_model_parallel_size"], 8);
    assert.equal(experts["model"]["expert_tensor_parallel_size"], 1);
    const files = filesFor(adapters);
    const dense = settingsOf(files)["model"] ?? {};
    assert.ok(!("expert_tensor_parallel_size" in dense || "expert_model_parallel_size" in dense));
    assert.equal(settingsOf(files)["peft"]?.["dim"], planFor(adapters).loraRank);
    assert.match(files.get("README.md") ?? "", /At the end `output\/adapter` is the adapter/);
  });

  it("holds experts whole where tensor parallelism alone divides a mixture, as the plan counts them", () => {
    const training = { method: "full", framework: "megatron", tensorParallel: 4 };
    const split = { ...mixture, training: { ...training, expertParallel: 1 } };
    const { model = {} } = settingsOf(filesFor(split));
    assert.equal(model["tensor_model_parallel_size"], 4);
    assert.equal(model["expert_model_parallel_size"], 1);
    assert.equal(model["expert_tensor_parallel_size"], 1);
  });

  it("has its programs and pins, and how the hosts are started by hand", () => {
    const files = filesFor({ instanceTypes: ["p5.48xlarge"] });
    for (const path of ["train_megatron.py", "convert_megatron.py", "hosts.py", "run.sh"]) {
      assert.ok(files.has(path), path);
    }
    assert.ok(!files.has("train.py") && !files.has("training.yaml"));
    const pins = Object.keys(recorded.wheels);
    const required = megatronRequirements(planFor({}).software).replace("[te]", "");
    for (const pin of pins) assert.ok(required.includes(`${pin}\n`), pin);
    const readme = files.get("README.md") ?? "";
    assert.match(readme, /convert_megatron\.py import\n# on each of the 4 hosts/);
    assert.match(readme, /one cluster placement group, with an Elastic Fabric Adapter/);
    assert.match(files.get("run.sh") ?? "", /^nodes=\$\{NNODES:-4\}$/m);
  });

  it("keeps a checkpoint about as often as asked, by the time of a step", () => {
    const plan = planFor({ instanceTypes: ["p5.48xlarge"] });
    const { checkpoint = {} } = settingsOf(filesFor({ instanceTypes: ["p5.48xlarge"] }));
    const { low = 0, high = 0 } = plan.layout.stepSeconds ?? {};
    const minutes = (Number(checkpoint["save_interval"]) * Math.sqrt(low * high)) / 60;
    assert.ok(Math.abs(minutes - 15) < 0.1, String(minutes));
  });

  it("refuses samples of text, which Megatron Bridge does not read", () => {
    assert.throws(() => filesFor({}, "text"), UserError);
    assert.equal(settingsOf(filesFor({}, "prompt and completion"))["samples"], "prompt-completion");
  });
});

describe("A folder of the Trainer for several hosts", () => {
  it("counts every GPU, and names the hosts", () => {
    const change = {
      model: "llama-3.1-8b",
      instanceTypes: ["p4d.24xlarge"],
      nodes: { least: 2, most: 2 },
      training: { method: "lora" },
    };
    const plan = planFor(change);
    assert.deepEqual([plan.batch.worldSize, plan.machine.nodes], [16, 2]);
    const files = filesFor(change, "text");
    assert.match(files.get("run.sh") ?? "", /^nodes=\$\{NNODES:-2\}$/m);
    assert.match(files.get("README.md") ?? "", /2 x p4d\.24xlarge/);
    assert.ok(files.has("train.py") && files.has("fsdp.json"));
  });
});
