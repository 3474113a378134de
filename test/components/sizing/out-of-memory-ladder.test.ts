import assert from "node:assert/strict";
import { findModel } from "../../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { outOfMemoryLadder } from "../../../components/sizing/out-of-memory-ladder.ts";
import type { TrainingWorkload } from "../../../components/sizing/workload.ts";

const catalogue = loadCatalogue();
const seven = findModel("llama-2-7b", catalogue);
const asked: TrainingWorkload = {
  method: "full",
  precision: "fp32",
  optimizer: "adamw",
  sequenceTokens: 2048,
  microBatch: 4,
  gradientCheckpointing: false,
};
const machine = (usableGiB: number) => ({ usableMiB: usableGiB * 1024, gpuCount: 1 });

describe("outOfMemoryLadder", () => {
  it("stops at once where it fits as asked", () => {
    const [first, ...others] = outOfMemoryLadder(seven, asked, machine(400));
    assert.equal(first?.fits, true);
    assert.deepEqual(others, []);
  });

  it("tries the rungs in their order, each on top of the one before", () => {
    const rungs = outOfMemoryLadder(seven, asked, machine(3));
    assert.deepEqual(
      rungs.map(({ name }) => name),
      [
        "as-asked",
        "gradient-checkpointing",
        "16-bit",
        "smaller-batch",
        "lora",
        "int8",
        "offload",
        "larger-machine",
      ],
    );
    for (const [index, rung] of rungs.entries()) {
      const before = rungs[index - 1];
      if (before === undefined) continue;
      assert.equal(rung.savesMiB, before.demand.totalMiB - rung.demand.totalMiB);
      assert.ok(rung.savesMiB >= 0, `${rung.name} saves ${rung.savesMiB} MiB`);
    }
  });

  it("ends with the first rung that fits", () => {
    const rungs = outOfMemoryLadder(seven, asked, machine(24));
    assert.equal(rungs.at(-1)?.name, "lora");
    assert.deepEqual(
      rungs.map(({ fits }) => fits),
      rungs.map((_, index) => index === rungs.length - 1),
    );
  });

  it("keeps the batch that was asked when it makes the step smaller", () => {
    const rungs = outOfMemoryLadder(seven, { ...asked, gradientAccumulation: 2 }, machine(3));
    const smaller = rungs.find(({ name }) => name === "smaller-batch");
    assert.equal(smaller?.workload.microBatch, 1);
    assert.equal(smaller.workload.gradientAccumulation, 8);
  });

  it("leaves out what is so already", () => {
    const lean = { ...asked, method: "lora", precision: "bf16", microBatch: 1 } as const;
    const names = outOfMemoryLadder(seven, lean, machine(3)).map(({ name }) => name);
    assert.deepEqual(names, [
      "as-asked",
      "gradient-checkpointing",
      "int8",
      "offload",
      "larger-machine",
    ]);
  });
});
