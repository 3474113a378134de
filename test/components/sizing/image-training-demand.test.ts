import assert from "node:assert/strict";
import fc from "fast-check";
import { findModel } from "../../../components/catalogue/find-model.ts";
import type { Model } from "../../../components/catalogue/model.ts";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { makeReport } from "../../../components/plan-report/make-report.ts";
import { trainedImageParameters } from "../../../components/sizing/image-training-demand.ts";
import { outOfMemoryLadder } from "../../../components/sizing/out-of-memory-ladder.ts";
import type { PlanRequest } from "../../../components/sizing/plan-request.ts";
import { trainingDemand } from "../../../components/sizing/training-demand.ts";
import type { TrainingWorkload } from "../../../components/sizing/workload.ts";
import { UserError } from "../../../components/user-error.ts";

const catalogue = loadCatalogue();
const model = (id: string) => findModel(id, catalogue);
const lora: TrainingWorkload = {
  method: "lora",
  precision: "amp",
  optimizer: "adamw",
  sequenceTokens: 77,
  microBatch: 1,
  gradientCheckpointing: true,
};
const full: TrainingWorkload = { ...lora, method: "full" };
const partGiB = (id: string, workload: TrainingWorkload, name: string) =>
  trainingDemand(model(id), workload)
    .parts.filter((part) => part.name === name)
    .reduce((sum, { mib }) => sum + mib, 0) / 1024;
const request: PlanRequest = {
  model: "sdxl",
  env: "dev",
  region: "us-east-1",
  spot: false,
  leaseHours: 4,
  task: "finetune",
};

function problemsOf(change: Partial<PlanRequest>): string {
  try {
    makeReport({ ...request, ...change }, catalogue);
  } catch (error) {
    if (error instanceof UserError) return [error.message, ...error.problems].join("\n");
    throw error;
  }
  return "";
}

describe("trainedImageParameters", () => {
  // Counts of rank 16 that PEFT makes on query, key, value and output, measured on the H100.
  for (const [id, count] of [
    ["sd-1.5", 3_188_736],
    ["sd-2.1", 3_319_808],
    ["sdxl", 23_224_320],
    ["sd3-medium", 4_718_592],
    // Counted with the same PEFT in the code of diffusers.
    ["sd3.5-large", 11_829_248],
    ["flux.1-dev", 18_677_760],
  ] as const) {
    it(`has ${count} of adapters for ${id}, and as many more as the rank is higher`, () => {
      const wide: TrainingWorkload = { ...lora, lora: { rank: 64, targets: "attention" } };
      assert.equal(trainedImageParameters(model(id), lora), count);
      assert.equal(trainedImageParameters(model(id), wide), 4 * count);
    });
  }
});

describe("imageTrainingDemand", () => {
  it("has 16 bytes of each trained parameter with AdamW, 10 with moments in 8 bit", () => {
    const bytes = (workload: TrainingWorkload) =>
      ["gradients", "optimizer"].reduce((sum, name) => sum + partGiB("sdxl", workload, name), 0);
    const each = 2_567_463_684 / 1024 ** 3;
    assert.ok(Math.abs(bytes(full) / each - 12) < 0.01);
    assert.ok(Math.abs(bytes({ ...full, optimizer: "adamw-8bit" }) / each - 6) < 0.01);
  });

  it("leaves out T5, whose captions are made before, and holds the other encoders", () => {
    const weights = partGiB("sd3-medium", lora, "weights");
    assert.ok(weights > 5.4 && weights < 5.6, String(weights));
  });

  it("counts gradients or activations of a whole training, whichever is more", () => {
    const small = { ...full, gradientCheckpointing: false };
    const of = (microBatch: number) => partGiB("sdxl", { ...small, microBatch }, "activations");
    assert.ok(of(1) < 3);
    assert.ok(Math.abs(of(4) - of(3) - 7 * 1.048576) < 0.01);
  });

  it("of FLUX takes what others report of it", () => {
    const of = (change: Partial<TrainingWorkload>) =>
      trainingDemand(model("flux.1-dev"), { ...lora, optimizer: "adamw-8bit", ...change });
    // 26 GB, rank 4, of 512 x 768 with latents made before (https://huggingface.co/blog/flux-qlora): VAE and CLIP are 0.4 GiB here.
    const small = of({
      imageSize: { width: 512, height: 768 },
      lora: { rank: 4, targets: "attention" },
    });
    assert.ok(Math.abs(small.totalMiB / 1024 - (26e9 / 1024 ** 3 + 0.4)) < 1.2);
    // "A bit more than 30 GB" with all matrices adapted (documentation/quickstart/FLUX.md of github.com/bghira/SimpleTuner).
    const usual = of({ optimizer: "adamw" });
    assert.ok(usual.lowMiB / 1024 < 30 && usual.highMiB / 1024 > 25, String(usual.totalMiB));
    // Captions go through it with the image: four times the pixels are less than four times the tokens.
    const kept = (side: number) =>
      partGiB(
        "flux.1-dev",
        { ...lora, gradientCheckpointing: false, imageSize: { width: side, height: side } },
        "activations",
      );
    assert.ok(kept(1024) > 23 && kept(1024) < 26);
    assert.ok(kept(1024) / kept(512) > 2.9 && kept(1024) / kept(512) < 3.1);
  });

  it("has the CLIP encoders learn where that is asked for, and never T5", () => {
    const text = { ...lora, trainTextEncoder: true };
    const of = (id: string, workload: TrainingWorkload) =>
      trainedImageParameters(model(id), workload);
    // 12 layers of 768 and 32 of 1,280, four matrices each, of rank 16.
    const ofClip = 16 * 4 * 2 * (12 * 768 + 32 * 1280);
    for (const id of ["sdxl", "sd3-medium", "sd3.5-large"]) {
      assert.equal(of(id, text) - of(id, lora), ofClip);
    }
    assert.equal(of("flux.1-dev", text) - of("flux.1-dev", lora), 16 * 4 * 2 * 12 * 768);
    const whole = { ...full, trainTextEncoder: true };
    assert.equal(of("sd-1.5", whole) - of("sd-1.5", full), 123_060_480);
    // From 2 bytes, frozen, to 16.
    const weights = (workload: TrainingWorkload) =>
      ["weights", "gradients", "optimizer"].reduce(
        (sum, name) => sum + partGiB("sd-1.5", workload, name),
        0,
      );
    const grown = weights(whole) - weights(full);
    assert.ok(Math.abs(grown - (14 * 123_060_480) / 1024 ** 3) < 0.01);
    for (const id of ["sd-1.5", "sdxl", "flux.1-dev"]) {
      assert.ok(
        trainingDemand(model(id), text).totalMiB > trainingDemand(model(id), lora).totalMiB,
      );
    }
  });

  it("never needs less for more images, larger ones, or no checkpoints", () => {
    const ids = fc.constantFrom(
      "sd-1.5",
      "sd-2.1",
      "sdxl",
      "sd3-medium",
      "sd3.5-large",
      "flux.1-dev",
    );
    const side = fc.integer({ min: 8, max: 256 }).map((steps) => steps * 8);
    const count = fc.integer({ min: 1, max: 32 });
    fc.assert(
      fc.property(ids, side, count, fc.constantFrom(lora, full), (id, pixels, images, asked) => {
        const method = /flux|3\.5/.test(id) ? lora : asked;
        const of = (width: number, microBatch: number, gradientCheckpointing: boolean) => {
          const imageSize = { width, height: pixels };
          const workload = { ...method, imageSize, microBatch, gradientCheckpointing };
          return trainingDemand(model(id), workload).totalMiB;
        };
        const least = of(pixels, images, true);
        assert.ok(least <= of(pixels + 8, images, true));
        assert.ok(least <= of(pixels, images + 1, true));
        assert.ok(least <= of(pixels, images, false) * 1.03);
      }),
    );
  });
});

describe("A plan of an image model's training", () => {
  it("takes one GPU by the price of an hour, with its disk, and says that no time is known", () => {
    const { ladder, ranking, trainingAsked, rootVolumeGiB, rejected } = makeReport(
      request,
      catalogue,
    );
    const [chosen] = ladder;
    assert.equal(ranking.by, "hour");
    assert.equal(chosen?.dataParallel, 1);
    assert.equal(chosen.training, undefined);
    assert.deepEqual(trainingAsked?.imageSize, { width: 1024, height: 1024 });
    assert.equal(rootVolumeGiB, 200);
    const small = rejected.find(({ instanceType }) => instanceType === "g4dn.xlarge");
    assert.match(small?.reason ?? "", /no bf16/);
  });

  it("names all that it cannot be asked", () => {
    const training = { method: "qlora", optimizer: "sgd", datasetTokens: 5e6, sharding: "fsdp" };
    const problems = problemsOf({ training, nodes: { least: 2, most: 2 } });
    for (const word of [
      "method: qlora",
      "optimizer: sgd",
      "datasetTokens: says",
      "sharding:",
      "nodes:",
    ])
      assert.match(problems, new RegExp(word));
    const size = { imageSize: { width: 1000, height: 7 } };
    assert.match(problemsOf({ training: size }), /1000 x 7; each side is a multiple of 8/);
    assert.match(problemsOf({ training: size, task: "serve" }), /imageSize: is of the training/);
    assert.match(problemsOf({ training: size, model: "qwen2.5-7b" }), /imageSize: is of/);
    const other = {
      ...model("sdxl"),
      components: [{ role: "denoiser", name: "U", parameters: 5 }],
    };
    const unknown = problemsOf({ customModel: other as Model });
    assert.match(unknown, /no training of its denoiser was measured or counted; .*FLUX/);
    const whole = { model: "flux.1-dev", training: { method: "full" } };
    assert.match(problemsOf(whole), /method: full was not measured for FLUX.1; take lora/);
    const encoder = { model: "qwen2.5-7b", training: { trainTextEncoder: true } };
    assert.match(problemsOf(encoder), /trainTextEncoder: is of the training of an image model/);
  });

  it("says what to change on a smaller GPU, of what was measured alone", () => {
    const workload = { ...full, gradientCheckpointing: false, microBatch: 2 };
    const machine = { usableMiB: 15_000, gpuCount: 4 };
    const rungs = outOfMemoryLadder(model("sdxl"), workload, machine);
    assert.deepEqual(
      rungs.map(({ name }) => name),
      ["as-asked", "gradient-checkpointing", "smaller-batch", "int8", "lora"],
    );
    assert.deepEqual(
      rungs.map(({ fits }) => fits),
      [false, false, false, false, true],
    );
  });
});
