import assert from "node:assert/strict";
import { findModel } from "../../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { diskDemand } from "../../../components/sizing/disk-demand.ts";
import { hostMemoryDemand } from "../../../components/sizing/host-memory-demand.ts";
import type { TrainingWorkload } from "../../../components/sizing/workload.ts";

const catalogue = loadCatalogue();
const model = (id: string) => findModel(id, catalogue);
const full: TrainingWorkload = {
  method: "full",
  precision: "amp",
  optimizer: "adamw",
  sequenceTokens: 2048,
  microBatch: 1,
  gradientCheckpointing: true,
};

describe("diskDemand", () => {
  it("holds system and download, and a tenth to spare", () => {
    const { totalGiB, parts } = diskDemand(model("llama-2-7b"), "serve");
    assert.ok(Math.abs(totalGiB - (60 + 12.55) * 1.1) < 1e-9);
    assert.deepEqual(
      parts.map(({ name }) => name),
      ["system", "download", "spare"],
    );
  });

  it("is never under 200 GiB for training", () => {
    const small = diskDemand(model("qwen2.5-0.5b"), "finetune", {
      training: { ...full, method: "lora" },
    });
    assert.equal(small.totalGiB, 200);
  });

  it("keeps three checkpoints with the optimiser's states", () => {
    const { parts } = diskDemand(model("llama-2-7b"), "train", { training: full });
    const checkpoints = parts.find(({ name }) => name === "checkpoints")?.gib;
    assert.equal(checkpoints, (3 * 14 * 6_738_415_616) / 1024 ** 3);
    // In pure bf16 there is no 32-bit copy, and the moments are half as wide.
    const training = { ...full, precision: "bf16" } as const;
    const narrow = diskDemand(model("llama-2-7b"), "train", { training }).parts;
    const narrowGiB = narrow.find(({ name }) => name === "checkpoints")?.gib;
    assert.equal(narrowGiB, (3 * 6 * 6_738_415_616) / 1024 ** 3);
  });

  it("has room for a conversion", () => {
    const plain = diskDemand(model("llama-2-7b"), "serve").totalGiB;
    assert.ok(diskDemand(model("llama-2-7b"), "serve", { precision: "q4_k_m" }).totalGiB > plain);
  });
});

describe("hostMemoryDemand", () => {
  it("grows with the processes, and not with shards that are mapped", () => {
    const one = hostMemoryDemand(model("llama-3.3-70b"), "serve", { gpuCount: 1 });
    const eight = hostMemoryDemand(model("llama-3.3-70b"), "serve", { gpuCount: 8 });
    assert.ok(one.totalGiB < 20 && eight.totalGiB > one.totalGiB);
  });

  it("holds what is offloaded", () => {
    const training = { ...full, offload: "optimizer" } as const;
    const { parts } = hostMemoryDemand(model("llama-2-7b"), "train", { gpuCount: 1, training });
    const offloaded = parts.find(({ name }) => name === "offloaded")?.gib ?? 0;
    assert.equal(offloaded, (24 * 6_738_415_616) / 1024 ** 3);
  });
});
