import assert from "node:assert/strict";
import fc from "fast-check";
import { findModel } from "../../../components/catalogue/find-model.ts";
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

  it("never needs less for more images, larger ones, or no checkpoints", () => {
    const ids = fc.constantFrom("sd-1.5", "sd-2.1", "sdxl", "sd3-medium");
    const side = fc.integer({ min: 8, max: 256 }).map((steps) => steps * 8);
    const count = fc.integer({ min: 1, max: 32 });
    fc.assert(
      fc.property(ids, side, count, fc.constantFrom(lora, full), (id, pixels, images, method) => {
        const of = (width: number, microBatch: number, gradientCheckpointing: boolean) => {
          const imageSize = { width, height: pixels };
          const asked = { ...method, imageSize, microBatch, gradientCheckpointing };
          return trainingDemand(model(id), asked).totalMiB;
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
    assert.match(problemsOf({ model: "flux.1-dev" }), /no training of its denoiser was measured/);
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
