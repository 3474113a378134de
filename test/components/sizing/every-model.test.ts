import assert from "node:assert/strict";
import fc from "fast-check";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import type { Model } from "../../../components/catalogue/model.ts";
import { diskDemand } from "../../../components/sizing/disk-demand.ts";
import { hostMemoryDemand } from "../../../components/sizing/host-memory-demand.ts";
import type { MemoryDemand } from "../../../components/sizing/memory-part.ts";
import { outOfMemoryLadder } from "../../../components/sizing/out-of-memory-ladder.ts";
import { servingDemand } from "../../../components/sizing/serving-demand.ts";
import { validSplits } from "../../../components/sizing/splits.ts";
import { trainingDemand } from "../../../components/sizing/training-demand.ts";
import { weightBytes } from "../../../components/sizing/weight-layout.ts";
import type { ServingWorkload, TrainingWorkload } from "../../../components/sizing/workload.ts";
import { UserError } from "../../../components/user-error.ts";

const { models } = loadCatalogue();
const makesImages = ({ task }: Model) => task === "image-generation";
const texts = models.filter((model) => !makesImages(model));
const serve = (model: Model, more: Partial<ServingWorkload> = {}): ServingWorkload => ({
  engine: makesImages(model) ? "diffusers" : "vllm",
  precision: "native",
  contextTokens: 2048,
  concurrency: 1,
  ...more,
});
const train: TrainingWorkload = {
  method: "lora",
  precision: "amp",
  optimizer: "adamw",
  sequenceTokens: 1024,
  microBatch: 1,
  gradientCheckpointing: true,
};

function assertSound({ parts, totalMiB, lowMiB, highMiB, startMiB }: MemoryDemand): void {
  assert.ok(Number.isFinite(totalMiB) && totalMiB > 0);
  assert.ok(lowMiB <= totalMiB && totalMiB <= highMiB && startMiB <= totalMiB);
  for (const { name, mib, lowMiB: low, highMiB: high, why } of parts) {
    assert.ok(low >= 0 && low <= mib && mib <= high, `${name}: ${low} ${mib} ${high}`);
    assert.ok(why.length > 0);
  }
}

/** Runs it; an error is the user's, names the model, and is one that the catalogue gives reason for. */
function orNamed(model: Model, run: () => void): void {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, new RegExp(model.id.replaceAll(/[.+]/g, "\\$&")));
    assert.ok(error.hint);
  }
}

describe("Every model of the catalogue", () => {
  for (const model of models) {
    it(`${model.id} is sized for each task that makes sense`, () => {
      assertSound(servingDemand(model, serve(model)));
      assert.ok(validSplits(model, "native", 8).length >= 1);
      assert.ok(diskDemand(model, "serve").totalGiB > 60);
      assert.ok(hostMemoryDemand(model, "serve", { gpuCount: 1 }).totalGiB > 4);
      if (makesImages(model)) {
        orNamed(model, () => {
          assertSound(trainingDemand(model, train));
          assert.ok(diskDemand(model, "finetune", { training: train }).totalGiB >= 200);
        });
        return;
      }
      for (const method of ["full", "lora", "qlora"] as const) {
        orNamed(model, () => {
          assertSound(trainingDemand(model, { ...train, method }));
        });
      }
      orNamed(model, () => outOfMemoryLadder(model, train, { usableMiB: 24_000, gpuCount: 1 }));
      for (const precision of ["int8", "int4", "nf4", "fp8", "q4_k_m"] as const) {
        orNamed(model, () => {
          assertSound(servingDemand(model, serve(model, { precision })));
        });
      }
    });
  }

  it("never needs less for more context or concurrency", () => {
    const tokens = fc.integer({ min: 1, max: 131_072 });
    const concurrency = fc.integer({ min: 1, max: 64 });
    const engine = fc.constantFrom("vllm", "tgi", "transformers", "llama.cpp");
    const one = fc.constantFrom(...texts);
    fc.assert(
      fc.property(
        one,
        engine,
        tokens,
        tokens,
        concurrency,
        concurrency,
        (model, by, t1, t2, c1, c2) => {
          const of = (contextTokens: number, at: number) =>
            servingDemand(model, serve(model, { engine: by, contextTokens, concurrency: at }))
              .totalMiB;
          const less = of(Math.min(t1, t2), Math.min(c1, c2));
          assert.ok(less <= of(Math.max(t1, t2), Math.max(c1, c2)) + 1e-6);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("never has more weights on a GPU for more GPUs", () => {
    const gpus = fc.integer({ min: 1, max: 16 });
    fc.assert(
      fc.property(fc.constantFrom(...texts), gpus, gpus, (model, a, b) => {
        const of = (tensorParallel: number) =>
          servingDemand(model, serve(model, { engine: "tgi" }), {
            tensorParallel,
            pipelineParallel: 1,
          });
        const few = of(Math.min(a, b));
        const many = of(Math.max(a, b));
        assert.ok(many.weightsMiB <= few.weightsMiB && many.kvCacheMiB <= few.kvCacheMiB);
      }),
      { numRuns: 300 },
    );
  });

  it("is never smaller in a wider precision", () => {
    const widening = [
      "q2_k",
      "q3_k_m",
      "q4_k_m",
      "q5_k_m",
      "q6_k",
      "q8_0",
      "bf16",
      "fp32",
    ] as const;
    const plain = ["nf4-double", "nf4", "int8", "bf16", "fp32"] as const;
    const counted = texts.filter(({ parameters }) => parameters !== undefined);
    for (const model of counted) {
      for (const formats of [widening, plain]) {
        const sizes = formats.map((format) => weightBytes(model, format));
        assert.deepEqual(
          sizes,
          sizes.toSorted((a, b) => a - b),
          model.id,
        );
      }
    }
  });
});
