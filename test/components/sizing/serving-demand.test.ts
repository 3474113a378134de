import assert from "node:assert/strict";
import { findModel } from "../../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { servingDemand } from "../../../components/sizing/serving-demand.ts";
import { verdict } from "../../../components/sizing/verdict.ts";
import type { ServingWorkload } from "../../../components/sizing/workload.ts";
import { UserError } from "../../../components/user-error.ts";

const catalogue = loadCatalogue();
const model = (id: string) => findModel(id, catalogue);
const load: ServingWorkload = {
  contextTokens: 4096,
  concurrency: 1,
  precision: "native",
  engine: "vllm",
};
const over = (tensorParallel: number, pipelineParallel = 1) => ({
  tensorParallel,
  pipelineParallel,
});

describe("servingDemand", () => {
  it("adds up the parts for one GPU", () => {
    const demand = servingDemand(model("llama-3.1-8b"), load);
    assert.equal(demand.kvCacheMiB, 512);
    const sum = demand.parts.reduce((total, { mib }) => total + mib, 0);
    assert.ok(Math.abs(demand.totalMiB - sum) < 1e-6);
    assert.ok(demand.lowMiB < demand.totalMiB && demand.totalMiB < demand.highMiB);
  });

  it("divides weights and grouped heads, and not the context", () => {
    const one = servingDemand(model("llama-3.3-70b"), load, over(1));
    const four = servingDemand(model("llama-3.3-70b"), load, over(4));
    assert.equal(four.weightsMiB, one.weightsMiB / 4);
    assert.equal(four.kvCacheMiB, one.kvCacheMiB / 4);
    const context = (parts: typeof one.parts) => parts.find(({ name }) => name === "runtime")?.mib;
    assert.equal(context(four.parts), context(one.parts));
  });

  it("holds files of 32 bit in 16 where the server does", () => {
    const of = (engine: "vllm" | "transformers") =>
      servingDemand(model("starcoder-15.5b"), { ...load, engine }).weightsMiB;
    assert.ok(Math.abs(of("transformers") / of("vllm") - 2) < 0.001);
  });

  it("starts with one sequence where the engine queues the others", () => {
    const one = servingDemand(model("llama-3.1-8b"), load);
    const ten = servingDemand(model("llama-3.1-8b"), { ...load, concurrency: 10 });
    assert.equal(ten.startMiB, one.totalMiB);
    assert.equal(ten.totalMiB - one.totalMiB, 9 * 512);
  });

  it("names every setting that makes no sense at once", () => {
    const wrong = { ...load, contextTokens: -1, concurrency: Number.NaN, utilisation: 2 };
    assert.throws(
      () => servingDemand(model("llama-3.1-8b"), wrong),
      (error) => error instanceof UserError && error.problems.length === 3,
    );
  });

  it("refuses to serve images with a text engine", () => {
    assert.throws(() => servingDemand(model("flux.1-dev"), load), UserError);
  });
});

describe("verdict", () => {
  const demand = servingDemand(model("llama-3.1-8b"), { ...load, concurrency: 8 });

  it("fits from what it takes to start, within the engine's share", () => {
    const exactly = Math.max((demand.startMiB - demand.outsideMiB) / 0.92, demand.startMiB);
    assert.equal(verdict(demand, exactly + 1).fits, true);
    assert.equal(verdict(demand, exactly - 1).fits, false);
  });

  it("is comfortable only where it fits and the upper end of the load does too", () => {
    const exactly = Math.max((demand.highMiB - demand.outsideMiB) / 0.92, demand.highMiB);
    assert.equal(verdict(demand, exactly + 1).comfortable, true);
    assert.equal(verdict(demand, exactly - 1).comfortable, false);
    for (let usable = 3000; usable < 40_000; usable += 500) {
      const { fits, comfortable } = verdict(demand, usable);
      if (comfortable) assert.ok(fits);
    }
  });
});
