import assert from "node:assert/strict";
import fc from "fast-check";
import { findModel } from "../../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { adapterParameters } from "../../../components/sizing/adapter-parameters.ts";
import { shapeOf } from "../../../components/sizing/model-shape.ts";
import { trainingDemand } from "../../../components/sizing/training-demand.ts";
import { verdict } from "../../../components/sizing/verdict.ts";
import type { TrainingWorkload } from "../../../components/sizing/workload.ts";
import { UserError } from "../../../components/user-error.ts";

const catalogue = loadCatalogue();
const model = (id: string) => findModel(id, catalogue);
const seven = model("llama-2-7b");
const full: TrainingWorkload = {
  method: "full",
  precision: "amp",
  optimizer: "adamw",
  sequenceTokens: 2048,
  microBatch: 1,
  gradientCheckpointing: true,
  packing: true,
};
const over = (dataParallel: number, tensorParallel = 1, pipelineParallel = 1) => ({
  dataParallel,
  tensorParallel,
  pipelineParallel,
});
const gib = (mebibytes: number) => mebibytes / 1024;
const states = ({ parts }: ReturnType<typeof trainingDemand>) =>
  parts
    .filter(({ name }) => ["weights", "gradients", "optimizer"].includes(name))
    .reduce((sum, { mib }) => sum + mib, 0);

describe("adapterParameters", () => {
  // Counts that the frameworks print.
  for (const [id, lora, count] of [
    ["llama-2-7b", { rank: 8, targets: "q-v" }, 4_194_304],
    ["llama-2-13b", { rank: 8, targets: "q-v" }, 6_553_600],
    ["qwen-7b", { rank: 8, targets: "qkv" }, 4_194_304],
    ["qwen-7b", { rank: 8, targets: "all-linear" }, 17_891_328],
  ] as const) {
    it(`adds ${count} to ${id} on ${lora.targets}`, () => {
      const shape = shapeOf(model(id));
      const fused = id === "qwen-7b" && lora.targets === "all-linear";
      // Qwen 1 holds q, k and v in one matrix, so that one adapter has the inputs once.
      const inputs = fused ? 2 * shape.layers * lora.rank * shape.hiddenSize : 0;
      assert.equal(adapterParameters(shape, lora) - inputs, count);
    });
  }
});

describe("trainingDemand", () => {
  it("fits where the upper end of its range does, and is comfortable with a twentieth to spare", () => {
    const demand = trainingDemand(seven, full);
    const { totalMiB, highMiB } = demand;
    assert.ok(totalMiB < highMiB);
    const at = (usableMiB: number) => {
      const { fits, comfortable } = verdict(demand, usableMiB);
      return [fits, comfortable];
    };
    assert.deepEqual(at(highMiB - 1), [false, false]);
    assert.deepEqual(at(highMiB + 1), [true, false]);
    assert.deepEqual(at(highMiB / 0.95 + 1), [true, true]);
    assert.match(verdict(demand, totalMiB).reason, /^needs up to/);
  });

  it("takes 16 bytes of a parameter in mixed precision, and 8 in pure 16 bit", () => {
    const parameters = seven.parameters ?? 0;
    const bytes = (workload: TrainingWorkload) =>
      (states(trainingDemand(seven, workload)) * 1024 ** 2) / parameters;
    assert.ok(Math.abs(bytes(full) - 16) < 0.01);
    assert.ok(Math.abs(bytes({ ...full, precision: "bf16" }) - 8) < 0.01);
    assert.ok(Math.abs(bytes({ ...full, optimizer: "sgd" }) - 8) < 0.01);
  });

  it("shares states out by the stage of ZeRO, as the paper's table does", () => {
    // 7.5 B parameters on 64 GPUs: 120, 31.4, 16.6 and 1.9 GB (https://arxiv.org/abs/1910.02054, figure 1).
    const paper = { ...seven, parameters: 7_500_000_000 };
    const workload = { ...full, precision: "amp" } as const;
    const gb = (sharding: "none" | "zero-1" | "zero-2" | "fsdp") => {
      const { parts } = trainingDemand(paper, { ...workload, sharding }, over(64));
      const held = parts.filter(
        ({ name, why }) =>
          ["weights", "gradients", "optimizer"].includes(name) && !why.includes("gathered"),
      );
      return (held.reduce((sum, { mib }) => sum + mib, 0) * 1024 ** 2) / 1e9;
    };
    assert.ok(Math.abs(gb("none") - 120) < 0.5);
    // The paper's gradients are 16 bit; DeepSpeed adds them up in 32 bit.
    assert.ok(Math.abs(gb("zero-1") - 31.4 - 15) < 0.5);
    assert.ok(gb("zero-2") > 16.6 && gb("zero-2") < 17);
    assert.ok(Math.abs(gb("fsdp") - 1.9) < 0.1);
  });

  it("costs nothing to accumulate gradients over steps", () => {
    const once = trainingDemand(seven, full);
    const often = trainingDemand(seven, { ...full, gradientAccumulation: 64 });
    assert.equal(often.totalMiB, once.totalMiB);
  });

  it("holds 65 B in 48 GB with QLoRA, where full fine-tuning takes more than 780 GB", () => {
    // https://arxiv.org/abs/2305.14314, abstract.
    const large = model("llama-1-65b");
    const qlora = { ...full, method: "qlora", precision: "bf16", sequenceTokens: 512 } as const;
    assert.ok(gib(trainingDemand(large, qlora).totalMiB) < 48);
    assert.ok(gib(trainingDemand(large, full).totalMiB) > 780);
  });

  it("widens the range where it is not known whether the lengths differ", () => {
    const known = trainingDemand(seven, full);
    const unknown = trainingDemand(seven, { ...full, packing: undefined });
    const unlike = trainingDemand(seven, { ...full, packing: false });
    assert.equal(unknown.totalMiB, known.totalMiB);
    assert.ok(unknown.highMiB > known.highMiB);
    assert.ok(unlike.totalMiB > known.totalMiB);
  });

  it("refuses what makes no sense, all at once", () => {
    const wrong = { ...full, sequenceTokens: 0, microBatch: 1.5 };
    assert.throws(
      () => trainingDemand(seven, wrong, over(0)),
      (error) => error instanceof UserError && error.problems.length === 3,
    );
  });

  it("divides by tensor and pipeline parallelism as Megatron-LM does", () => {
    const large = model("llama-2-70b");
    const one = trainingDemand(large, full, over(1));
    const split = trainingDemand(large, full, over(1, 8, 4));
    assert.ok(Math.abs(states(split) * 32 - states(one)) < 0.08 * states(one));
    assert.throws(() => trainingDemand(large, full, over(1, 3)), /cannot be sized/);
    const staged = { ...full, sharding: "zero-3" } as const;
    assert.throws(() => trainingDemand(large, staged, over(2, 1, 2)), UserError);
  });

  it("never needs less for a longer sequence or a larger batch", () => {
    const tokens = fc.integer({ min: 1, max: 65_536 });
    const batch = fc.integer({ min: 1, max: 64 });
    fc.assert(
      fc.property(tokens, tokens, batch, batch, (s1, s2, b1, b2) => {
        const of = (sequenceTokens: number, microBatch: number) =>
          trainingDemand(seven, { ...full, sequenceTokens, microBatch }).totalMiB;
        const less = of(Math.min(s1, s2), Math.min(b1, b2));
        assert.ok(less <= of(Math.max(s1, s2), Math.max(b1, b2)));
      }),
      { numRuns: 200 },
    );
  });

  it("never needs more states on a GPU for more GPUs", () => {
    const sharding = fc.constantFrom("none", "zero-1", "zero-2", "zero-3", "fsdp");
    const gpus = fc.integer({ min: 1, max: 64 });
    fc.assert(
      fc.property(sharding, gpus, gpus, (kind, a, b) => {
        const of = (count: number) =>
          states(trainingDemand(seven, { ...full, sharding: kind }, over(count)));
        assert.ok(of(Math.max(a, b)) <= of(Math.min(a, b)) + 1e-6);
      }),
      { numRuns: 200 },
    );
  });
});
